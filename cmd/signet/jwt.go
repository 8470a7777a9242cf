package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

func inspectJWT(text string, now time.Time) inspection {
	out := inspection{Kind: "jwt"}
	var err error
	if out.Header, out.Claims, err = splitJWT(text); err != nil {
		out.Header, out.Claims = nil, nil
		out.Problem = "the JWT is malformed: " + err.Error()
		return out
	}
	k := kindOf(out.Header, out.Claims)
	out.Kind = k.name
	out.Summary = k.summary
	out.explainTimes(now)
	out.Notes = append(out.Notes, signatureNote(out.Header, strings.HasSuffix(text, ".")))
	for i, m := range out.Header {
		out.Header[i].Meaning = headerMeaning(m)
	}
	for i, m := range out.Claims {
		out.Claims[i].Meaning = claimMeaning(m, out.Claims)
	}
	return out
}

// splitJWT reads the header and the claims of a signed JWT (RFC 7515 §3.1, RFC 7519 §3).
func splitJWT(text string) (header, claims []member, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, nil, fmt.Errorf("it has %d parts instead of three", len(parts))
	}
	if header, err = readPart(parts[0], "header"); err != nil {
		return nil, nil, err
	}
	if textOf(header, "alg") == "" {
		return nil, nil, errors.New("its header does not say how it is signed (alg)")
	}
	if claims, err = readPart(parts[1], "claims"); err != nil {
		return nil, nil, err
	}
	if _, err := decodePart(parts[2]); err != nil {
		return nil, nil, errors.New("its signature is not base64url")
	}
	return header, claims, nil
}

func readPart(part, what string) ([]member, error) {
	raw, err := decodePart(part)
	if err != nil {
		return nil, fmt.Errorf("its %s part is not base64url", what)
	}
	all, err := readMembers(raw)
	if err != nil {
		return nil, fmt.Errorf("its %s part %w", what, err)
	}
	return all, nil
}

// explainTimes says whether a JWT is too old or too young to be taken.
func (i *inspection) explainTimes(now time.Time) {
	exp, ends := find(i.Claims, "exp")
	at, dated := exp.moment()
	switch {
	case !ends:
		i.note("It does not say when it expires.")
	case !dated:
		i.note("Its exp is no date, so nobody will take it.")
	default:
		expired := !now.Before(at)
		i.ExpiresAt, i.Expired = at, &expired
		i.note(map[bool]string{true: "It has expired: ", false: "It has not expired: it is good until "}[expired] + untilOrSince(at, now) + ".")
	}
	nbf, _ := find(i.Claims, "nbf")
	if from, ok := nbf.moment(); ok && now.Before(from) {
		i.note("It is not good yet: from " + untilOrSince(from, now) + " on.")
	}
	iat, _ := find(i.Claims, "iat")
	if made, ok := iat.moment(); ok && now.Before(made) {
		i.note("It claims to be from the future: one of two clocks is wrong.")
	}
}

func (i *inspection) note(sentence string) { i.Notes = append(i.Notes, sentence) }

// untilOrSince gives a moment, and how far it is from now while that is easily said.
func untilOrSince(at, now time.Time) string {
	d := at.Sub(now).Truncate(time.Second)
	switch {
	case d < -48*time.Hour, d > 48*time.Hour:
		return moment(at)
	case at.After(now):
		return moment(at) + ", in " + d.String()
	}
	return moment(at) + ", " + (-d).String() + " ago"
}

func signatureNote(header []member, unsigned bool) string {
	if unsigned || strings.EqualFold(textOf(header, "alg"), "none") {
		return "It is not signed: nothing in it can be believed."
	}
	return "Its signature was not checked: that takes the keys of the issuer. Without it, nothing in it can be believed."
}
