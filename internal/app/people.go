package app

import (
	"context"
	"slices"
	"strings"

	"vigil/alerts"
	"vigil/internal/access"
	"vigil/internal/config"
	"vigil/internal/identity"
	"vigil/internal/privacy"
)

// roster knows who may sign in, as of now: the users of the configuration and those who have
// an account. identity.Service implements it.
type roster interface {
	// Member is who has a pseudonym; ok is false for a stranger, and for who is disabled.
	Member(ctx context.Context, by string) (u identity.User, ok bool, err error)
	Members(ctx context.Context) ([]identity.User, error)
}

// person is a user of vigil.
type person struct {
	name string
	// by is the pseudonym under which what they do is written down.
	by    string
	roles []access.Role
	slack string
	// logins are by what the sources know them.
	logins []string
}

// people are the users of one configuration. They never change.
type people struct {
	pseudonyms *privacy.Pseudonymizer
	all        []person
	// users are the same people as those who sign in.
	users []identity.User
	// tenants are those within which actors have pseudonyms.
	tenants []string
	bySlack map[string]*person
	byName  map[string]*person // by pseudonym
}

func newPeople(cfg *config.Config, pseudonyms *privacy.Pseudonymizer) *people {
	p := &people{pseudonyms: pseudonyms, tenants: []string{""}, bySlack: map[string]*person{}, byName: map[string]*person{}}
	for i := range cfg.Users {
		u := &cfg.Users[i]
		p.all = append(p.all, person{
			name: u.Name, by: pseudonyms.Actor("", u.Name), roles: u.Roles, slack: u.Slack, logins: logins(append([]string{u.Name, u.Email}, u.Actors...)),
		})
	}
	for i := range p.all {
		one := &p.all[i]
		p.users = append(p.users, identity.User{Name: one.name, By: one.by, Email: cfg.Users[i].Email, Roles: one.roles, Logins: one.logins})
	}
	for i := range cfg.Sources {
		p.tenants = append(p.tenants, cfg.Sources[i].Tenant)
	}
	for i := range cfg.Actors {
		p.tenants = append(p.tenants, cfg.Actors[i].Tenant)
	}
	slices.Sort(p.tenants)
	p.tenants = slices.Compact(p.tenants)
	for i := range p.all {
		one := &p.all[i]
		for _, t := range p.tenants {
			p.byName[pseudonyms.Actor(t, one.name)] = one
		}
		if one.slack != "" {
			p.bySlack[one.slack] = one
		}
	}
	return p
}

// logins are the names that a source may have for somebody of these: of a mail address
// also what stands before the @, each also in lower case.
func logins(names []string) []string {
	var out []string
	for _, n := range names {
		for _, n := range []string{n, strings.ToLower(n)} {
			out = append(out, n)
			if local, _, ok := strings.Cut(n, "@"); ok {
				out = append(out, local)
			}
		}
	}
	out = slices.DeleteFunc(out, func(n string) bool { return n == "" })
	slices.Sort(out)
	return slices.Compact(out)
}

// pseudonym is that of somebody as a channel knows them, empty for a stranger to it.
func (p *people) pseudonym(who alerts.Person) string {
	switch who.Channel {
	case slackName:
		if one := p.bySlack[who.ID]; one != nil {
			return one.by
		}
	case consoleName:
		return who.ID
	}
	return ""
}

// consoleName is the channel of what people do in the console: there their id is their
// pseudonym.
const consoleName = "console"

// named returns the user of a name, nil for a stranger.
func (p *people) named(name string) *person { return p.byName[p.pseudonyms.Actor("", name)] }

// mention returns the Slack member's id of the user with this pseudonym, empty where
// there is none.
func (p *people) mention(by string) string {
	if one := p.byName[by]; one != nil {
		return one.slack
	}
	return ""
}

// is reports whether somebody with these logins is one of the actors.
func (p *people) is(logins []string, tenant string, actors ...string) bool {
	return slices.ContainsFunc(p.aliases(logins, tenant), func(a string) bool { return slices.Contains(actors, a) })
}

// aliases are the pseudonyms of somebody with these logins, within the tenants that are
// configured and some more.
func (p *people) aliases(logins []string, more ...string) (out []string) {
	tenants := append(slices.Clone(p.tenants), more...)
	slices.Sort(tenants)
	for _, t := range slices.Compact(tenants) {
		for _, login := range logins {
			out = append(out, p.pseudonyms.Actor(t, login))
		}
	}
	return out
}
