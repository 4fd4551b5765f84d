package console

import (
	"context"
	"errors"
	"strings"

	"parvis/hub/callbacks"
	"parvis/hub/cards"
	"parvis/kiosk/callback"
)

// resolveCard adds what the city's list knows of a card to who asks: for whoever
// has looked at the request, which the audit log tells already. known is false
// where the list doesn't have the card.
func (c *Console) resolveCard(ctx context.Context, p *callbacks.Person) (known bool, err error) {
	if p.Card == "" || c.Cards == nil {
		return false, nil
	}
	holder, err := c.Cards.Resolve(ctx, p.Card)
	if errors.Is(err, cards.ErrUnknown) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p.Phone, p.Display = holder.Phone, holder.Phone
	typed := holder.Phone
	if rest, ok := strings.CutPrefix(typed, "+33"); ok {
		typed = "0" + rest
	}
	if n := callback.CheckPhone(typed); n.Valid {
		p.Display, p.Mobile = n.Display, n.Mobile
	}
	if p.FirstName == "" {
		p.FirstName = holder.FirstName
	}
	return true, nil
}

// numberOf is what a sheet shows to call somebody by.
func (c *Console) numberOf(ctx context.Context, p callbacks.Person) (string, error) {
	if _, err := c.resolveCard(ctx, &p); err != nil {
		return "", err
	}
	if p.Display != "" {
		return p.Display, nil
	}
	return "carte n° " + p.Card, nil
}
