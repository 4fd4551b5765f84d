package people

// NewOlder makes People that hash as an older version would have.
func NewOlder(o Options) (*People, error) {
	return newPeople(o, params{memory: 8 * 1024, time: 1, threads: 1})
}
