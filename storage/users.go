package storage

import (
	"context"
	"strings"

	"github.com/signet-auth/signet/authz"
)

const userColumns = `id, username, email, email_verified, profile, claims, roles,
	disabled_at, created_at, updated_at, version`

func userDestinations(u *authz.User) []any {
	return []any{&u.ID, &u.Username, &u.Email, &u.EmailVerified, asJSON(&u.Profile), asJSON(&u.Claims), asJSON(&u.Roles),
		into(&u.DisabledAt), into(&u.CreatedAt), into(&u.UpdatedAt), &u.Version}
}

func scanUser(row scanner) (*authz.User, error) {
	var u authz.User
	err := row.Scan(userDestinations(&u)...)
	return &u, err
}

// Fold is the form in which names that people type are compared.
func Fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// foldedOrNull lets any number of people have no email address.
func foldedOrNull(email string) any {
	if email == "" {
		return nil
	}
	return Fold(email)
}

// InsertUser remembers a new person. A taken username or email is authz.ErrConflict.
func (s *Store) InsertUser(ctx context.Context, u *authz.User) error {
	_, err := s.exec(ctx, "insert user", `
		INSERT INTO users (id, username, username_folded, email, email_folded, email_verified,
			profile, claims, roles, disabled_at, created_at, updated_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		u.ID, u.Username, Fold(u.Username), u.Email, foldedOrNull(u.Email), u.EmailVerified,
		asJSON(&u.Profile), asJSON(&u.Claims), asJSON(&u.Roles),
		at(u.DisabledAt), at(u.CreatedAt), at(u.UpdatedAt), u.Version)
	return err
}

// User reads a person by id.
func (s *Store) User(ctx context.Context, id string) (*authz.User, error) {
	return get(ctx, s, "read user", scanUser, `
		SELECT `+userColumns+` FROM users WHERE id = $1`, id)
}

// UserByName reads a person by username or email address, in any case. A username wins
// over somebody else's address.
func (s *Store) UserByName(ctx context.Context, name string) (*authz.User, error) {
	return get(ctx, s, "read user by name", scanUser, `
		SELECT `+userColumns+` FROM users
		 WHERE username_folded = $1 OR email_folded = $1
		 ORDER BY CASE WHEN username_folded = $1 THEN 0 ELSE 1 END LIMIT 1`, Fold(name))
}

// Users lists people by id, those after a given one.
func (s *Store) Users(ctx context.Context, after string, limit int) ([]*authz.User, error) {
	return list(ctx, s, "list users", scanUser, `
		SELECT `+userColumns+` FROM users WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// UpdateUser writes a person if the row still has the version that u was read with;
// authz.ErrStale otherwise.
func (s *Store) UpdateUser(ctx context.Context, u *authz.User) error {
	n, err := s.exec(ctx, "update user", `
		UPDATE users SET username = $3, username_folded = $4, email = $5, email_folded = $6,
			email_verified = $7, profile = $8, claims = $9, roles = $10, disabled_at = $11, updated_at = $12,
			version = version + 1
		 WHERE id = $1 AND version = $2`,
		u.ID, u.Version, u.Username, Fold(u.Username), u.Email, foldedOrNull(u.Email),
		u.EmailVerified, asJSON(&u.Profile), asJSON(&u.Claims), asJSON(&u.Roles), at(u.DisabledAt), at(u.UpdatedAt))
	if err != nil {
		return err
	}
	if n == 0 {
		_, err := s.User(ctx, u.ID)
		return staleOr("update user", err)
	}
	u.Version++
	return nil
}

// DeleteUser forgets a person and all that was theirs. A version other than 0 must be the
// row's; authz.ErrStale otherwise.
func (s *Store) DeleteUser(ctx context.Context, id string, version int64) error {
	n, err := s.exec(ctx, "delete user", `
		DELETE FROM users WHERE id = $1 AND (version = $2 OR $2 = 0)`, id, version)
	if err == nil && n == 0 {
		_, err := s.User(ctx, id)
		return staleOr("delete user", err)
	}
	return err
}

// SetPassword remembers the hash of a person's password, in place of any former one.
func (s *Store) SetPassword(ctx context.Context, p authz.PasswordCredential) error {
	_, err := s.exec(ctx, "set password", `
		INSERT INTO passwords (user_id, hash, changed_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at`,
		p.UserID, p.Hash, at(p.ChangedAt))
	return err
}

// UpgradePassword replaces a hash by one of the same password, unless the password was
// changed meanwhile.
func (s *Store) UpgradePassword(ctx context.Context, userID, from, to string) error {
	_, err := s.exec(ctx, "upgrade password", `
		UPDATE passwords SET hash = $3 WHERE user_id = $1 AND hash = $2`, userID, from, to)
	return err
}

// login is what a password login reads at once.
type login struct {
	user *authz.User
	hash string
}

// UserWithPassword reads a person by username or email address with the hash of their
// password; the hash is empty when they have none.
func (s *Store) UserWithPassword(ctx context.Context, name string) (*authz.User, string, error) {
	scan := func(row scanner) (login, error) {
		l := login{user: new(authz.User)}
		err := row.Scan(append(userDestinations(l.user), &l.hash)...)
		return l, err
	}
	l, err := get(ctx, s, "read user and password", scan, `
		SELECT `+userColumns+`, COALESCE(passwords.hash, '')
		  FROM users LEFT JOIN passwords ON passwords.user_id = users.id
		 WHERE username_folded = $1 OR email_folded = $1
		 ORDER BY CASE WHEN username_folded = $1 THEN 0 ELSE 1 END LIMIT 1`, Fold(name))
	return l.user, l.hash, err
}
