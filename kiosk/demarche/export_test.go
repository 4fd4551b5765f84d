package demarche

// KnownKeys returns what the loader lets each kind of mapping hold, by the
// name of its definition in schema.json.
func KnownKeys() map[string]struct{ Required, Optional []string } {
	known := map[string]struct{ Required, Optional []string }{
		"text": {Required: Languages()},
	}
	for name, k := range map[string]keys{
		"themesFile": themesKeys, "theme": themeKeys, "demarche": demarcheKeys, "source": sourceKeys,
		"question": questionKeys, "choice": choiceKeys, "item": itemKeys, "fact": factKeys,
		"where": whereKeys, "query": queryKeys, "link": linkKeys,
	} {
		known[name] = struct{ Required, Optional []string }{k.required, k.optional}
	}
	return known
}

// KnownValues returns the closed lists of values, by schema definition and key.
func KnownValues() map[string][]string {
	return map[string][]string{"topic": topics, "services": services, "programmes": programmes}
}
