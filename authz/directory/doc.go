// Package directory keeps the people who can log in and the roles that say what they may
// grant. It makes, changes, disables and deletes accounts, and ends with them what grew
// from them. Checking passwords is left to package login, being signed in to package
// session, and who may call this to the caller.
package directory
