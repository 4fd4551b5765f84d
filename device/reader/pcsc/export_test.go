package pcsc

// For the tests of what is read off a card.
var (
	Contactless = contactless
	MessageText = messageText
	FindMessage = findMessage
	TagOf       = tagOf
)

const (
	NoTag    = noTag
	TypeTwo  = typeTwo
	TypeFour = typeFour
)

// ReadText reads the text of a card that answers as told.
func ReadText(kind tag, card func(command []byte) ([]byte, error)) (string, error) {
	return transmit(card).text(kind)
}
