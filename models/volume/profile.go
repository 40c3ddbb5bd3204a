package volume

// Hours is the length of the seasonal profile: the hours of a week, from Monday
// 00:00 UTC.
const Hours = 168

// profilePrior is how many expected counts stand behind "as usual" per hour.
const profilePrior = 30

// Season is a group's seasonal profile in the making: what was seen and what was
// expected, hour by hour, with forgetting.
type Season struct {
	Seen, Expected [Hours]float64
}

// Observe adds one actor's span in the given hour of the week. The ratio of one
// span is bounded, so that a burst does not become a season. What is negative is taken
// out again, as far as it is there.
func (s *Season) Observe(hour int, seen, expected float64) {
	if expected < 0 {
		// It is taken out again.
		s.Seen[hour], s.Expected[hour] = max(0, s.Seen[hour]+seen), max(0, s.Expected[hour]+expected)
		return
	}
	if expected == 0 {
		return
	}
	s.Seen[hour] += min(seen, 4*expected)
	s.Expected[hour] += expected
}

// Forget keeps the share keep of what was learnt.
func (s *Season) Forget(keep float64) {
	for h := range s.Seen {
		s.Seen[h] *= keep
		s.Expected[h] *= keep
	}
}

// Profile is a seasonal profile: a factor per hour of the week, at least 0.1,
// summing to 168.
type Profile [Hours]float64

// FlatProfile has no season.
func FlatProfile() Profile {
	var p Profile
	for h := range p {
		p[h] = 1
	}
	return p
}

// Profile smooths each hour with its neighbours and shrinks it toward 1.
func (s *Season) Profile() Profile {
	var p Profile
	sum := 0.0
	for h := range p {
		prev, next := (h+Hours-1)%Hours, (h+1)%Hours
		seen := 0.5*s.Seen[h] + 0.25*s.Seen[prev] + 0.25*s.Seen[next]
		expected := 0.5*s.Expected[h] + 0.25*s.Expected[prev] + 0.25*s.Expected[next]
		p[h] = max(0.1, (seen+profilePrior)/(expected+profilePrior))
		sum += p[h]
	}
	for h := range p {
		p[h] *= Hours / sum
	}
	return p
}
