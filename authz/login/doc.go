// Package login finds out who somebody is from what they show: a username and a password.
// It hashes passwords, refuses those who guess, and never says which half of a guess was
// wrong. Being signed in afterwards is the matter of package session; which address a
// request came from, and counting attempts, are the caller's.
//
// Nobody can lock anybody else out. Refusals are counted per address, and per name and
// address; a name under attack from many addresses is only answered more slowly, and a
// browser in which its owner has signed in before is counted by itself.
package login
