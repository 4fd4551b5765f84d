package agent

import "time"

// WatchFor has changes be watched for less long than on a borne.
func (a *Agent) WatchFor(d time.Duration) { a.wellFor = d }

// TellUnfoundEvery has searches wait for less long than on a borne.
func (a *Agent) TellUnfoundEvery(d time.Duration) { a.missed = d }
