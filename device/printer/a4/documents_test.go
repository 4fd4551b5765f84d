package a4_test

import "parvis/device/printer"

// demarche is the sheet of a démarche as a borne prints it, long enough for two
// pages.
func demarche() printer.Document {
	return printer.Document{Lang: "fr", Blocks: []printer.Block{
		printer.Heading{Level: 2, Text: "Mairie de quartier", Centred: true},
		printer.Text{Text: "Samedi 21 novembre · 14 h 30", Centred: true},
		printer.Rule{},
		printer.Heading{Level: 1, Text: "Carte d’identité, passeport"},
		printer.Text{Text: "Une carte d’identité · Pour moi, un adulte · C’est la première fois"},
		printer.Space{Lines: 1}, printer.Heading{Level: 3, Text: "À apporter"},
		printer.Checkbox{Text: "1 photo d’identité", Detail: "De moins de 6 mois, aux normes officielles"},
		printer.Checkbox{Text: "1 justificatif de domicile", Detail: "De moins de 1 an\u00a0: facture, avis d’impôt, quittance"},
		printer.Checkbox{Text: "L’autre carte d’identité ou le passeport"},
		printer.Checkbox{Text: "Le numéro de pré-demande", Detail: "Si vous avez rempli la demande sur internet"},
		printer.Checkbox{Text: "L’acte de naissance de moins de 3 mois, sauf si votre commune de naissance l’envoie elle-même à la mairie où vous faites la demande", Detail: "Demandez-le à la mairie de votre lieu de naissance. C’est gratuit. Si vous êtes né à l’étranger, demandez-le au service central d’état civil de Nantes."},
		printer.Space{Lines: 1}, printer.Heading{Level: 3, Text: "Prix"},
		printer.Text{Text: "Carte d’identité\u00a0: gratuit"},
		printer.Text{Text: "Passeport\u00a0: 86\u00a0€ en timbres fiscaux"},
		printer.Space{Lines: 1}, printer.Heading{Level: 3, Text: "Délai"},
		printer.Text{Text: "Quelques semaines (à vérifier)"},
		printer.Text{Text: "Plus long avant l’été. Demandez le délai à la mairie."},
		printer.Rule{Dashed: true}, printer.Heading{Level: 3, Text: "Où aller"},
		printer.Bullet{Text: "Dans une mairie équipée, sur rendez-vous", Detail: "Demandez à l’accueil si cette mairie est équipée"},
		printer.Bullet{Text: "Chez un médiateur, pour la pré-demande", Detail: "Il vous aide gratuitement sur internet"},
		printer.Space{Lines: 1},
		printer.Text{Text: "Médiathèque du centre", Bold: true},
		printer.Text{Text: "3 rue des Fontaines"},
		printer.Text{Text: "00000 Ville-Exemple"},
		printer.Text{Text: "À 7 minutes à pied"},
		printer.Text{Text: "Téléphone\u00a0: 01 99 00 00 00"},
		printer.Text{Text: "Aujourd’hui\u00a0: 10 h – 17 h 30"},
		printer.Space{Lines: 1},
		printer.Text{Text: "Pré-demande sur ants.gouv.fr", Bold: true, Centred: true},
		printer.QR{Data: "https://ants.gouv.fr"},
		printer.Text{Text: "Visez ce code avec votre téléphone.", Centred: true},
		printer.Text{Text: "ants.gouv.fr", Centred: true},
		printer.Space{Lines: 1},
		printer.Bullet{Text: "Trouver un rendez-vous en mairie", Detail: "rendezvouspasseport.ants.gouv.fr"},
		printer.Space{Lines: 1}, printer.Heading{Level: 3, Text: "Bon à savoir"},
		printer.Bullet{Text: "Prenez rendez-vous tôt, surtout avant les vacances", Detail: "Toutes les mairies équipées de France vous reçoivent"},
		printer.Bullet{Text: "Venez vous-même avec les originaux", Detail: "La mairie prend vos empreintes"},
		printer.Bullet{Text: "Retirez votre titre dans les 3 mois", Detail: "Un message vous prévient. Après 3 mois, il est détruit."},
		printer.Rule{Dashed: true},
		printer.Text{Text: "«\u00a0À vérifier\u00a0»\u00a0: cela a pu changer. La source donne la réponse du jour."},
		printer.Text{Text: "Source\u00a0: service-public.gouv.fr, F21089"},
		printer.Text{Text: "Source\u00a0: service-public.gouv.fr, F1342"},
		printer.Text{Text: "Informations vérifiées le 15 novembre 2026"},
		printer.Space{Lines: 1},
		printer.Text{Text: "Service gratuit.", Centred: true},
		printer.Cut{},
	}}
}

// place is the page of one place.
func place() printer.Document {
	return printer.Document{Lang: "fr", Blocks: []printer.Block{
		printer.Heading{Level: 2, Text: "Mairie de quartier", Centred: true},
		printer.Text{Text: "Samedi 21 novembre · 14 h 30", Centred: true},
		printer.Rule{},
		printer.Heading{Level: 1, Text: "Médiathèque du centre"},
		printer.Text{Text: "3 rue des Fontaines"},
		printer.Text{Text: "00000 Ville-Exemple"},
		printer.Text{Text: "À 7 minutes à pied"},
		printer.Text{Text: "Téléphone\u00a0: 01 99 00 00 00"},
		printer.Space{Lines: 1}, printer.Heading{Level: 3, Text: "Horaires"},
		printer.Text{Text: "Samedi 21\u00a0: 10 h – 17 h 30"},
		printer.Text{Text: "Dimanche 22\u00a0: fermé"},
		printer.Text{Text: "Lundi 23\u00a0: fermé"},
		printer.Text{Text: "Mardi 24\u00a0: 9 h – 12 h et 14 h – 18 h"},
		printer.Space{Lines: 1},
		printer.Text{Text: "Le site internet de ce lieu", Bold: true, Centred: true},
		printer.QR{Data: "https://mediatheque.example.org/venir?lieu=centre"},
		printer.Text{Text: "Visez ce code avec votre téléphone.", Centred: true},
		printer.Text{Text: "mediatheque.example.org/venir?lieu=centre", Centred: true},
		printer.Rule{Dashed: true},
		printer.Text{Text: "Mis à jour le 3 novembre 2026"},
		printer.Space{Lines: 1},
		printer.Text{Text: "Service gratuit.", Centred: true},
		printer.Cut{},
	}}
}

// places is a list of n places.
func places(n int) printer.Document {
	doc := printer.Document{Lang: "fr", Blocks: []printer.Block{
		printer.Heading{Level: 2, Text: "Mairie de quartier", Centred: true},
		printer.Text{Text: "Samedi 21 novembre · 14 h 30", Centred: true},
		printer.Rule{},
		printer.Heading{Level: 1, Text: "Des lieux pour vous aider"},
	}}
	for i := range n {
		if i > 0 {
			doc.Blocks = append(doc.Blocks, printer.Space{Lines: 1})
		}
		doc.Blocks = append(doc.Blocks,
			printer.Text{Text: "Espace numérique no " + string(rune('A'+i)), Bold: true},
			printer.Text{Text: "12 avenue de la République"},
			printer.Text{Text: "00000 Ville-Exemple"},
			printer.Text{Text: "Téléphone\u00a0: 01 99 00 00 00"},
			printer.Text{Text: "Aujourd’hui\u00a0: 10 h – 17 h 30 (fin " + string(rune('A'+i)) + ")"},
		)
	}
	doc.Blocks = append(doc.Blocks, printer.Space{Lines: 1}, printer.Text{Text: "Service gratuit.", Centred: true}, printer.Cut{})
	return doc
}

// arabic is a request to be called, and what to bring, in Arabic.
func arabic() printer.Document {
	return printer.Document{Lang: "ar", Blocks: []printer.Block{
		printer.Heading{Level: 2, Text: "Mairie de quartier", Centred: true},
		printer.Text{Text: "السبت 21 نوفمبر · 14:30", Centred: true},
		printer.Rule{},
		printer.Heading{Level: 1, Text: "بطاقة الهوية وجواز السفر"},
		printer.Text{Text: "سنتصل بك يوم الاثنين بعد الظهر على الرقم 01 99 00 00 42 إن شئت."},
		printer.Space{Lines: 1},
		printer.Heading{Level: 3, Text: "ما يجب إحضاره"},
		printer.Checkbox{Text: "صورة شخصية واحدة", Detail: "أقل من 6 أشهر، وفق المعايير الرسمية"},
		printer.Checkbox{Text: "إثبات السكن", Detail: "أقل من سنة: فاتورة أو إشعار ضريبي أو وصل إيجار، ويمكن أن يكون باسم شخص يؤويك مع رسالة منه"},
		printer.Checkbox{Text: "استمارة Cerfa رقم 12100 موقعة"},
		printer.Bullet{Text: "في دار بلدية مجهزة، بموعد", Detail: "rendezvouspasseport.ants.gouv.fr"},
		printer.Space{Lines: 1},
		printer.Text{Text: "رقم طلبك", Centred: true},
		printer.Code{Text: "A042"},
		printer.Text{Text: "احتفظ بالرقم A042 أو 042-B واذكره إذا اتصلت أو عدت."},
		printer.Text{Text: "3 rue des Fontaines (bâtiment B)."},
		printer.Space{Lines: 1},
		printer.Text{Text: "الموقع الرسمي", Bold: true, Centred: true},
		printer.QR{Data: "https://service-public.gouv.fr/particuliers/vosdroits/F1342"},
		printer.Text{Text: "service-public.gouv.fr/particuliers/vosdroits/F1342", Centred: true},
		printer.Rule{Dashed: true},
		printer.Text{Text: "المصدر: service-public.gouv.fr, F21089"},
		printer.Text{Text: "خدمة مجانية.", Centred: true},
		printer.Cut{},
	}}
}
