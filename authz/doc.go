// Package authz holds the nouns of an authorization server: clients, people, grants,
// consents, sessions, APIs, keys and what can be said of them without a database or a
// network. The verbs are its sub-packages, one folder each; storage remembers the nouns
// and web shows them. It imports the standard library only, so that everything else may
// import it.
package authz
