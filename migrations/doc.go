// Package migrations holds the shape of the database as golang-migrate files, and applies
// them. The files in this folder are canonical: they are PostgreSQL, and SQLite where its
// words allow. The folder sqlite replaces single files, by the same name, where they do not.
package migrations
