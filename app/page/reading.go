package page

import "strings"

// Part is one step of the reading order: a text to hear, or a choice.
type Part struct {
	Text    string
	Choice  *Choice // nil for plain text
	Block   int     // index in Blocks; -1 title and above, -2 actions, -3 navigation
	Item    int     // index within the block
	Private bool
	Lang    string // the language it is spoken in
}

// Reading returns the page's parts in the one order in which they are drawn,
// read and walked. Keys of a keyboard can be walked but are not part of
// reading the page aloud.
func (p Page) Reading() []Part {
	var parts []Part
	say := func(block, item int, texts ...string) {
		if t := join(texts...); t != "" {
			parts = append(parts, Part{Text: t, Block: block, Item: item})
		}
	}
	choose := func(block, item int, c Choice) {
		parts = append(parts, Part{Text: c.text(), Choice: &c, Block: block, Item: item, Private: c.Private})
	}
	say(-1, 5, p.Message.Text)
	if p.Banner != nil {
		say(-1, 4, p.Banner.Text)
	}
	say(-1, 0, p.Kicker)
	say(-1, 1, p.Title)
	if p.Badge != nil {
		say(-1, 2, p.Badge.Text)
	}
	say(-1, 3, p.Lead)
	for b, block := range p.Blocks {
		switch x := block.(type) {
		case Text:
			say(b, 0, x.Text)
		case Choices:
			say(b, -1, x.Label)
			for i, c := range x.Items {
				choose(b, i, c)
			}
		case Checklist:
			for i, it := range x.Items {
				say(b, i, it.Text, it.Detail)
			}
		case Notice:
			say(b, 0, x.Title, x.Text)
		case Facts:
			say(b, 0, strings.Join(x.Items, ", "))
		case Table:
			for i, l := range x.Lines {
				say(b, i, l.Label, l.Value)
			}
		case Field:
			say(b, 0, x.Label)
			if v := x.spoken(); v != "" {
				parts = append(parts, Part{Text: v, Block: b, Item: 1, Private: x.Private})
			}
			say(b, 2, x.Problem)
			say(b, 3, x.Hint)
		case Keys:
			n := 0
			for _, row := range x.Rows {
				for _, k := range row {
					choose(b, n, k.Choice)
					parts[len(parts)-1].Private = x.Private || k.Private
					n++
				}
			}
		case QR:
			say(b, 0, x.Caption)
		case Code:
			say(b, 0, x.Label, x.Spoken)
		case Picture:
			say(b, 0, x.Alt)
		}
	}
	for i, c := range p.Actions {
		choose(-2, i, c)
	}
	for i, c := range p.Nav {
		choose(-3, i, c)
	}
	for i := range parts {
		parts[i].Lang = p.Lang
		if content := parts[i].Block >= 0 || parts[i].Block == -1 && parts[i].Item == 1; content && p.Content != "" {
			parts[i].Lang = p.Content
		}
		if parts[i].Block == -1 && parts[i].Item == 5 {
			parts[i].Lang = p.Message.Lang
		}
	}
	return parts
}

// IsKey reports whether the part is a key of the page's keyboard.
func (p Page) IsKey(part Part) bool {
	if part.Choice == nil || part.Block < 0 {
		return false
	}
	_, ok := p.Blocks[part.Block].(Keys)
	return ok
}

// Find returns the choice with the given ID.
func (p Page) Find(id string) (Choice, bool) {
	for _, part := range p.Reading() {
		if part.Choice != nil && part.Choice.ID == id {
			return *part.Choice, true
		}
	}
	return Choice{}, false
}

func (f Field) spoken() string {
	if f.Spoken != "" {
		return f.Spoken
	}
	return f.Value
}

func (c Choice) text() string {
	label := c.Label
	if c.Spoken != "" {
		label = c.Spoken
	}
	side := strings.TrimSpace(c.Side + " " + c.SideNote)
	badge := ""
	if c.Badge != nil {
		badge = c.Badge.Text
	}
	return join(label, c.Detail, side, badge)
}

// join makes one utterance of several texts, each a sentence of its own.
func join(texts ...string) string {
	var b strings.Builder
	for _, t := range texts {
		t = strings.TrimSpace(t)
		if t == "" {
			continue
		}
		if b.Len() > 0 {
			if last := b.String()[b.Len()-1]; !strings.ContainsRune(".?!:", rune(last)) {
				b.WriteByte('.')
			}
			b.WriteByte(' ')
		}
		b.WriteString(t)
	}
	return b.String()
}
