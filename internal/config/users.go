package config

import (
	"fmt"
	"regexp"
	"strings"

	"vigil/internal/access"
	"vigil/internal/yaml"
)

// maxUsers bounds those who work with vigil.
const maxUsers = 10_000

// slackUser is the form of a Slack member's id.
var slackUser = regexp.MustCompile(`^[UW][A-Z0-9]{2,30}$`)

// User is somebody who works with vigil.
type User struct {
	// Name is by what the user is known to vigil, such as a login. It is kept as a
	// pseudonym. Required and unique.
	Name string `yaml:"name"`
	// Roles are viewer, responder, analyst, privacy_officer or admin. Required, at
	// least one.
	Roles []access.Role `yaml:"roles"`
	// Slack is the Slack member's id ("U0123ABC"). Empty for one who is not there.
	Slack string `yaml:"slack"`
	// Email is the address, by which a sign-in provider may know the user too. May be
	// empty.
	Email string `yaml:"email"`
	// Actors are the logins that the user has at the sources: of a case about one of
	// them the user must keep off. The name and the address count as such in any case.
	Actors []string `yaml:"actors"`
}

func (c *checker) users() {
	if len(c.cfg.Users) > maxUsers {
		c.at("users", fmt.Sprintf("has %d entries, at most %d are read", len(c.cfg.Users), maxUsers), "")
		return
	}
	names, members := map[string]int{}, map[string]int{}
	for i := range c.cfg.Users {
		u := &c.cfg.Users[i]
		field := fmt.Sprintf("users[%d]", i)
		first, twice := names[strings.ToLower(u.Name)]
		switch {
		case u.Name == "" && !c.bad(field+".name"):
			c.at(field+".name", "is missing", "name the user by their login")
		case len(u.Name) > 200:
			c.at(field+".name", "is longer than 200 bytes", "")
		case twice:
			c.at(field+".name", fmt.Sprintf("is also the name of users[%d]", first), "give each user a name of their own")
		}
		names[strings.ToLower(u.Name)] = i
		if len(u.Roles) == 0 && !c.bad(field+".roles") {
			c.at(field+".roles", "is missing", "the roles are "+roleNames())
		}
		for j, r := range u.Roles {
			if r.Known() {
				continue
			}
			remedy := "the roles are " + roleNames()
			if near := yaml.Nearest(string(r), strings.Split(roleNames(), ", ")); near != "" {
				remedy = fmt.Sprintf("did you mean %q?", near)
			}
			c.at(fmt.Sprintf("%s.roles[%d]", field, j), fmt.Sprintf("%q is no role", r), remedy)
		}
		if u.Slack == "" {
			continue
		}
		if !slackUser.MatchString(u.Slack) {
			c.at(field+".slack", fmt.Sprintf("%q is no Slack member's id", u.Slack), `write for example "U0123ABC": in Slack it is under the profile, "Copy member ID"`)
		}
		if first, twice := members[u.Slack]; twice {
			c.at(field+".slack", fmt.Sprintf("is also that of users[%d]", first), "give each user their own")
		}
		members[u.Slack] = i
	}
}

func roleNames() string {
	var names []string
	for _, r := range access.Roles() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}
