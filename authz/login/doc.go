// Package login finds out who somebody is from what they show: a username and a password.
// It hashes passwords, refuses those who guess, and never says which half of a guess was
// wrong. Being signed in afterwards is the matter of package session; which address a
// request came from, and counting attempts, are the caller's.
//
// Attempts are counted per address (IPv4) or /64 (IPv6), and per name and address. So whoever
// is at another address can have nobody refused: a name under attack from many addresses is
// only answered more slowly. Nor can anybody have a browser refused in which its owner has
// signed in before: it is counted by itself. A stranger at the same address, behind one NAT
// or proxy, can spend what a new browser there has; then one attempt in half a minute goes
// through, drawn by lot from those of the same five seconds. Each has the same chance: a
// person who tries a few times gets in beside a stranger who tries a few times, and seldom
// beside one who floods. Letting more through would give a guesser more.
package login
