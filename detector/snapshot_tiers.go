package detector

import (
	"fmt"
	"maps"
	"slices"
	"unique"

	"vigil"
	"vigil/detector/features"
)

// coldState is a cold actor in the form that is kept.
type coldState struct {
	_                  struct{} `cbor:",toarray"`
	Key                string
	Kind               vigil.ActorKind
	Role, Team, Source string
	Born, Seen         int64
	R, Rise            [features.Lanes]float32
	Rates              [len(coldLanes)][len(coldKinds)]coldRate
	Long               [len(driftKinds)]coldSum
	Hours              uint64
	// Hashes and Tags are those of the values.
	Hashes  []uint64
	Tags    []uint32
	Runs    []coldRun
	Past    *incidentState
	Learned int
}

// stateTiers adds the lower tiers to a shard's state.
func (sh *shard) stateTiers(st *shardState) error {
	st.Marks = sh.marks.state()
	for _, key := range slices.Sorted(maps.Keys(sh.cold)) {
		c := sh.cold[key]
		who := c.Who.Value()
		past, err := c.past.state()
		if err != nil {
			return err
		}
		cs := coldState{
			Key: key, Kind: who.Kind, Role: who.Role, Team: who.Team, Source: who.Source, Born: c.Born, Seen: c.Seen,
			R: c.R, Rise: c.Rise, Rates: c.Rates, Long: c.Long, Hours: c.Hours, Past: past, Learned: who.Learned,
		}
		for _, v := range c.Values {
			cs.Hashes, cs.Tags = append(cs.Hashes, v.Hash), append(cs.Tags, v.Tag)
		}
		if c.runs != nil {
			cs.Runs = c.runs[:]
		}
		st.Cold = append(st.Cold, cs)
	}
	return nil
}

// restoreTiers takes the lower tiers back.
func (sh *shard) restoreTiers(st *shardState) error {
	sh.cold = make(map[string]*cold, len(st.Cold))
	for i := range st.Cold {
		cs := &st.Cold[i]
		c := &cold{
			Who:  unique.Make(identity{cs.Kind, cs.Role, cs.Team, cs.Source, cs.Learned}),
			Born: cs.Born, Seen: cs.Seen, R: cs.R, Rise: cs.Rise, Rates: cs.Rates, Long: cs.Long, Hours: cs.Hours,
		}
		if cs.Key == "" || len(cs.Hashes) != len(cs.Tags) {
			return fmt.Errorf("cold actor %d is damaged", i)
		}
		c.Values = make([]coldValue, len(cs.Hashes))
		for j, hash := range cs.Hashes {
			if cs.Tags[j]>>16 >= uint32(features.Categories) {
				return fmt.Errorf("cold actor %d has a value of no category", i)
			}
			c.Values[j] = coldValue{hash, cs.Tags[j]}
		}
		switch len(cs.Runs) {
		case 0:
		case features.Lanes:
			c.runs = (*[features.Lanes]coldRun)(cs.Runs)
		default:
			return fmt.Errorf("cold actor %d has %d runs", i, len(cs.Runs))
		}
		var err error
		if c.past, err = cs.Past.restore(); err != nil {
			return fmt.Errorf("cold actor %d: %w", i, err)
		}
		sh.cold[cs.Key] = c
	}
	return sh.marks.restore(st.Marks)
}
