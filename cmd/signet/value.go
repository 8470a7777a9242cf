package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
)

// value is one setting in its two forms: the text that people write, and the variable that
// the program reads. Set checks; String writes what is in force, without secrets.
type value interface {
	Set(text string) error
	String() string
}

type parsed[T any] struct {
	to    *T
	parse func(string) (T, error)
	show  func(T) string
}

func (p parsed[T]) Set(text string) error {
	v, err := p.parse(text)
	if err == nil {
		*p.to = v
	}
	return err
}

func (p parsed[T]) String() string { return p.show(*p.to) }

func asIs(s string) string { return s }

// text is a string that check accepts.
func text(to *string, check func(string) error) value {
	return parsed[string]{to, func(s string) (string, error) { return s, check(s) }, asIs}
}

func anything(string) error { return nil }

// toggle is true or false.
func toggle(to *bool) value {
	parse := func(s string) (bool, error) {
		v, err := strconv.ParseBool(s)
		if err != nil {
			return false, fmt.Errorf("%q is neither true nor false", s)
		}
		return v, nil
	}
	return parsed[bool]{to, parse, strconv.FormatBool}
}

// oneOf is one of a few words.
func oneOf(to *string, words ...string) value {
	return text(to, func(s string) error {
		if slices.Contains(words, s) {
			return nil
		}
		return fmt.Errorf("%q is not one of %s", s, strings.Join(words, ", "))
	})
}

// listOf is any number of things, written with commas between them.
func listOf[T comparable](to *[]T, parse func(string) (T, error), show func(T) string) value {
	read := func(s string) ([]T, error) {
		var out []T
		for one := range strings.SplitSeq(s, ",") {
			if one = strings.TrimSpace(one); one == "" {
				continue
			}
			v, err := parse(one)
			switch {
			case err != nil:
				return nil, err
			case slices.Contains(out, v):
				return nil, fmt.Errorf("%s is named twice", one)
			}
			out = append(out, v)
		}
		return out, nil
	}
	write := func(list []T) string {
		words := make([]string, len(list))
		for i, v := range list {
			words[i] = show(v)
		}
		return strings.Join(words, ",")
	}
	return parsed[[]T]{to, read, write}
}

// network reads a CIDR, or a single address as the network of that address alone.
func network(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is not a network: write 10.0.0.0/8 or 192.0.2.7", s)
	}
	return p.Masked(), nil
}

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// span is a length of time between least and most.
func span(to *time.Duration, least, most time.Duration) value {
	parse := func(s string) (time.Duration, error) {
		d, err := readSpan(s)
		switch {
		case err != nil:
			return 0, err
		case d < least || d > most:
			return 0, fmt.Errorf("%s is not between %s and %s", s, showSpan(least), showSpan(most))
		}
		return d, nil
	}
	return parsed[time.Duration]{to, parse, showSpan}
}

// readSpan reads what time.ParseDuration reads, and days: 30d.
func readSpan(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 15); err == nil {
			return time.Duration(n) * day, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a length of time: write 60s, 10m, 12h or 30d", s)
	}
	return d, nil
}

func showSpan(d time.Duration) string {
	if d >= day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} { // 1h0m0s is 1h, 10m0s is 10m
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-len(zero)+1]
		}
	}
	return s
}

// databaseURL is the address of a PostgreSQL database. Its password is a secret.
func databaseURL(to *authz.Secret) value {
	parse := func(s string) (authz.Secret, error) {
		u, err := url.Parse(s)
		if s != "" && (err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql") {
			return "", errors.New("must be postgres://user:password@host:5432/name; leave it out to use SQLite in the data folder")
		}
		return authz.Secret(s), nil
	}
	return parsed[authz.Secret]{to, parse, redactURL}
}

func redactURL(secret authz.Secret) string {
	u, err := url.Parse(secret.Reveal())
	if err != nil {
		return secret.String()
	}
	query := u.Query()
	for _, name := range []string{"password", "sslpassword"} {
		if query.Has(name) {
			query.Set(name, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}
