package statistics

// Told is what may be told of a count of what residents did: a multiple of Step,
// 0 for less than Step.
func Told(n int) int { return safe.show(n) }

// Live are the visits of one borne on a day that isn't over, as they may be
// told: those of hours that are over.
type Live struct {
	Visits int // a multiple of Step; 0: less than Step
	// Parts break the visits down: by the hour, or by the part of the day where
	// hours would tell too little, or too much beside Visits; nil where parts of
	// the day would as well.
	Parts []Part
}

// Part is a stretch of a day.
type Part struct {
	From, To int // hours; To is not in it
	Visits   int // a multiple of Step; 0: less than Step
}

// partsOfDay begin at these hours.
var partsOfDay = []int{0, 12, 14, 18}

var hoursOfDay = func() []int {
	all := make([]int, 24)
	for h := range all {
		all[h] = h
	}
	return all
}()

// LiveOf makes the figures of a day from its visits by the hour in which they
// began, at an hour of the day.
func LiveOf(hours [24]int, now int) Live {
	sum := 0
	for h := now; h < len(hours); h++ {
		hours[h] = 0
	}
	for _, n := range hours {
		sum += n
	}
	live := Live{Visits: Told(sum)}
	for _, begins := range [][]int{hoursOfDay, partsOfDay} {
		parts := make([]Part, len(begins))
		var told breakdown
		for i, from := range begins {
			parts[i] = Part{From: from, To: len(hours)}
			if i+1 < len(begins) {
				parts[i].To = begins[i+1]
			}
			n := 0
			for _, visits := range hours[from:parts[i].To] {
				n += visits
			}
			parts[i].Visits = Told(n)
			told.add(parts[i].Visits)
		}
		if told.seen > 0 && safe.together(breakdown{live.Visits, 1}, told) {
			live.Parts = parts
			return live
		}
	}
	return live
}
