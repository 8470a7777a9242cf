package web

import "strings"

// Line is a line of the table of routes, for tests that hold for all of them.
type Line struct {
	Method, Path         string
	ForPeople, ForForms  bool // refusals are pages; only our own forms are taken
	FromApps, AnyOrigin  bool // apps open it in popups; scripts of every site may read it
	Cacheable, OwnWindow bool
	Elsewhere            bool // reached through reverse proxies, at the hosts of others
}

// Lines gives the table.
func Lines(s *Site) []Line {
	var out []Line
	for _, one := range s.routes() {
		p := one.policy
		out = append(out, Line{
			Method: one.method, Path: one.path,
			ForPeople: p.forPeople(), ForForms: p == ownPage || p == appPage,
			FromApps: p == appPage || p == entry, AnyOrigin: p.openToScripts(),
			Cacheable: p == document || p == static, OwnWindow: p == ownPage,
			Elsewhere: strings.HasPrefix(one.path, "/gateway/") || strings.HasPrefix(one.path, "/.signet/"),
		})
	}
	return out
}
