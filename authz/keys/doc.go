// Package keys keeps the server's signing keys: it makes them, seals them under the master
// key, publishes them, signs and verifies with them, rotates them and lets them go. What a
// token says, and who may have it, is the business of others.
//
// Each algorithm has a key that signs and a next one that is published but does not sign
// yet. A rotation retires the first, activates the second and makes a new next; it is one
// conditional transaction, so of several replicas that try, one does it and the others
// read what it did. A retired key stays published until the last token that it signed has
// expired.
//
// Signing, verifying and publishing read a snapshot in memory and never the database. A
// replica renews its snapshot when it is told of a change, and every five seconds besides.
package keys
