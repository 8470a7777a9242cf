package registration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/signet-auth/signet/authz"
)

// Store remembers clients.
type Store interface {
	Clients
	Secrets
	InTx(ctx context.Context, fn func(context.Context) error) error
	// EndAPITokensOf revokes the API tokens that a disabled client has made of everybody, as
	// many as one call can, and tells whether that was all.
	EndAPITokensOf(ctx context.Context, clientID string, now time.Time) (n int64, all bool, err error)
}

// Clients remembers who is registered. DeleteClient takes along as much of what hangs on a
// client as one call can, leaves its APIs without an owner, and sees to the rest later.
type Clients interface {
	InsertClient(ctx context.Context, c *authz.Client) error
	Client(ctx context.Context, id string) (*authz.Client, error)
	Clients(ctx context.Context, after string, limit int) ([]*authz.Client, error)
	UpdateClient(ctx context.Context, c *authz.Client) error
	DeleteClient(ctx context.Context, id string, version int64, now time.Time) (authz.Removal, error)
}

// Secrets remembers by what clients are known.
type Secrets interface {
	InsertClientSecret(ctx context.Context, clientID string, secret authz.ClientSecret) error
	// ExpireClientSecrets lets all secrets but one end at until, if not before.
	ExpireClientSecrets(ctx context.Context, clientID, keep string, until time.Time) error
}

// APIs looks registered APIs up; authz.ErrNotFound for one that is not.
type APIs interface {
	API(ctx context.Context, identifier string) (*authz.API, error)
}

// Recorder takes down what may be asked about later.
type Recorder interface {
	Record(ctx context.Context, e authz.Event)
}

// Config names all that a Service needs.
type Config struct {
	Store      Store
	APIs       APIs
	Audit      Recorder
	Algorithms []string // those with keys; an ID token may be signed with one of them
	Now        func() time.Time
	Random     io.Reader
}

// Service registers clients. It is safe for use by many goroutines.
type Service struct{ cfg Config }

// NewService makes a Service.
func NewService(cfg Config) *Service { return &Service{cfg: cfg} }

// New is a client to be made. What Metadata leaves empty is filled in for its type.
type New struct {
	ID       string // empty: one is made
	Metadata authz.ClientMetadata
	// DefaultIDTokenAlg applies where the metadata name none; empty: RS256, which OpenID
	// Connect Registration §2 prescribes.
	DefaultIDTokenAlg string
	// WaivePKCE lets a confidential OpenID client do without PKCE. It stands here because a
	// false RequirePKCE cannot be told from one that nobody thought of.
	WaivePKCE bool
}

const maxList = 1000

// Create registers a client and gives its secret, the only time that it is seen; it is empty
// for a client that has none. What is wrong is an *authz.InvalidError that names the field,
// a taken id authz.ErrConflict, for as long as anything is left of a client that had it too.
func (s *Service) Create(ctx context.Context, n New) (*authz.Client, authz.Secret, error) {
	c, err := s.newClient(ctx, n)
	if err != nil {
		return nil, "", err
	}
	var secret authz.Secret
	if keepsSecret(c.Metadata) {
		var kept authz.ClientSecret
		if secret, kept, err = s.newSecret(time.Time{}); err != nil {
			return nil, "", err
		}
		c.Secrets = []authz.ClientSecret{kept}
	}
	if err := s.cfg.Store.InsertClient(ctx, c); err != nil {
		return nil, "", err
	}
	s.record(ctx, authz.EventClientCreated, c.ID, map[string]string{"name": c.Metadata.Name})
	return c, secret, nil
}

func (s *Service) newClient(ctx context.Context, n New) (*authz.Client, error) {
	id := n.ID
	if id == "" {
		var err error
		if id, err = authz.NewID(authz.PrefixClient, s.cfg.Random); err != nil {
			return nil, err
		}
	} else if err := checkID(id); err != nil {
		return nil, err
	}
	m, err := s.complete(ctx, n)
	if err != nil {
		return nil, err
	}
	if err := s.validate(ctx, &m, nil); err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	return &authz.Client{ID: id, Metadata: m, CreatedAt: now, UpdatedAt: now, Version: 1}, nil
}

// Get reads a client with what is kept of its secrets.
func (s *Service) Get(ctx context.Context, id string) (*authz.Client, error) {
	if !validID(id) {
		return nil, fmt.Errorf("read client: %w", authz.ErrNotFound)
	}
	return s.cfg.Store.Client(ctx, id)
}

// List gives up to limit clients by id, those after a given one, without their secrets.
func (s *Service) List(ctx context.Context, after string, limit int) ([]*authz.Client, error) {
	if after != "" && !validID(after) {
		return nil, authz.Invalid("after", "is not the id of a client")
	}
	return s.cfg.Store.Clients(ctx, after, min(max(limit, 1), maxList))
}

const maxID = 128

// reserved are what the audit log calls those who are nobody's client.
var reserved = []string{"cli", "system"}

// checkID says whether a client may be called so. No client is called as a person or an API
// token is, so that neither the subject nor the client_id of a token can be read as both
// (RFC 9068 §5).
func checkID(id string) error {
	switch {
	case !validID(id):
		return authz.Invalid("client_id", "must have 1 to 128 letters, digits, dots, underscores or hyphens")
	case strings.HasPrefix(strings.ToLower(id), authz.PrefixUser):
		return authz.Invalid("client_id", "must not begin with "+authz.PrefixUser+", as the ids of people do")
	case strings.HasPrefix(strings.ToLower(id), authz.PrefixToken):
		return authz.Invalid("client_id", "must not begin with "+authz.PrefixToken+", as the ids of API tokens do")
	case slices.Contains(reserved, id):
		return authz.Invalid("client_id", "is reserved")
	}
	return nil
}

// validID keeps ids to characters that need no escaping anywhere, in Basic least of all.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, c := range []byte(id) {
		if !isWord(c) {
			return false
		}
	}
	return true
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

func (s *Service) record(ctx context.Context, kind, id string, detail map[string]string) {
	s.cfg.Audit.Record(ctx, authz.Event{Kind: kind, ClientID: id, Detail: detail})
}

// isStale tells that somebody else was faster.
func isStale(err error) bool { return errors.Is(err, authz.ErrStale) }
