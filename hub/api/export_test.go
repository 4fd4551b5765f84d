package api

import "context"

// FillQueue fills the queue of reports of an API that does not run yet.
func FillQueue(a *API) {
	for range cap(a.intake.queue) {
		a.intake.queue <- &arrival{done: make(chan struct{})}
	}
}

// RunIntake stores what is queued until ctx ends.
func RunIntake(ctx context.Context, a *API) { a.intake.run(ctx) }

// HoldDownloads takes all slots for downloads until release is called.
func HoldDownloads(a *API) (release func()) {
	for range cap(a.downloads) {
		a.downloads <- struct{}{}
	}
	return func() {
		for range cap(a.downloads) {
			<-a.downloads
		}
	}
}

// CheckReport and the formats are what the fuzz test looks into.
var (
	CheckReport   = checkReport
	UnmarshalJSON = unmarshalJSON
	UnmarshalCBOR = unmarshalCBOR
)

// FieldWords are the words of the description, to be compared with it.
func FieldWords() map[string]string { return fieldWords }
