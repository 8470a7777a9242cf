package apitoken

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/lastuse"
)

const (
	defaultMaxLifetime = 365 * 24 * time.Hour
	visible            = 30 * 24 * time.Hour // how long a token that has ended is listed
	maxList            = 1000

	// MaxLive is how many live tokens a person may make.
	MaxLive = 50
)

var (
	// ErrInvalid means that a token is not one of ours, has ended or was revoked, or that its
	// owner or its API is gone.
	ErrInvalid = errors.New("the API token is unknown, expired or revoked")
	// ErrAddress means that a good token came from an address that it may not come from.
	ErrAddress = errors.New("the API token may not be used from this address")
	// ErrReplaced means that another token took the place of one already.
	ErrReplaced = errors.New("the API token was replaced already")
	// ErrMaker means that a token was to replace the one that it was made by.
	ErrMaker = errors.New("an API token cannot replace the one that made it")
)

// Store remembers API tokens.
type Store interface {
	Reader
	Writer
	Ender
}

// Reader finds tokens; authz.ErrNotFound when there is none.
type Reader interface {
	// LiveAPIToken reads a token that has not ended and its enabled owner, in one statement.
	LiveAPIToken(ctx context.Context, id string, now time.Time) (*authz.APIToken, *authz.User, error)
	APIToken(ctx context.Context, id string) (*authz.APIToken, error)
	// APITokensByID reads those of up to a hundred that there are, in one statement.
	APITokensByID(ctx context.Context, ids []string) ([]*authz.APIToken, error)
	APITokensOfUser(ctx context.Context, userID string, endedSince time.Time) ([]*authz.APIToken, error)
	APITokens(ctx context.Context, after string, limit int) ([]*authz.APIToken, error)
}

// Writer makes and changes tokens.
type Writer interface {
	InTx(ctx context.Context, fn func(context.Context) error) error
	// AddAPIToken inserts a token unless its owner has limit live ones, and reports whether
	// there was room; authz.ErrConflict when a live one that was not replaced has the name,
	// authz.ErrNotFound when the owner is gone or disabled, or what makes the token may not
	// act for them any more.
	AddAPIToken(ctx context.Context, v *authz.APIToken, limit int) (bool, error)
	NoteTokenUse(ctx context.Context, u authz.TokenUse) error
}

// Ender ends live tokens, and with each those that it made and that they made.
type Ender interface {
	// ReplaceAPIToken notes, once, what takes the place of a token; authz.ErrNotFound when it
	// was noted before or the token is not live.
	ReplaceAPIToken(ctx context.Context, id, userID, by string, now time.Time) error
	ShortenAPIToken(ctx context.Context, id, userID string, now, until time.Time) error
	// RevokeAPIToken tells how many it has ended: 0 when the token was not live.
	RevokeAPIToken(ctx context.Context, id, userID, reason string, now time.Time) (int64, error)
}

// Catalog looks APIs up, the server's own among them; authz.ErrNotFound for one that is not
// registered.
type Catalog interface {
	API(ctx context.Context, identifier string) (*authz.API, error)
}

// Places gives out places in the published status lists.
type Places interface {
	Allocate(ctx context.Context, expires time.Time) (int64, error)
}

// Recorder takes down what may be asked about later.
type Recorder interface {
	Record(ctx context.Context, e authz.Event)
}

// Config names all that a Service needs.
type Config struct {
	Issuer  string // the identifier of the server's own API, which every client may ask tokens for
	Store   Store
	Catalog Catalog
	// Client finds a registered client; authz.ErrNotFound for one that is not.
	Client func(ctx context.Context, id string) (*authz.Client, error)
	// Roles gives the roles with these names and the one that everybody has.
	Roles  func(ctx context.Context, names []string) ([]authz.Role, error)
	Status Places
	Audit  Recorder
	// MaxLifetime is the longest that a token may live; 0: 365 days.
	MaxLifetime time.Duration
	Now         func() time.Time
	Random      io.Reader
	Log         *slog.Logger // told when uses cannot be written down; nil: nobody is
}

// Service keeps API tokens. It is safe for use by many goroutines.
type Service struct {
	cfg  Config
	uses *lastuse.Notes[authz.TokenUse]
}

// NewService makes a Service.
func NewService(cfg Config) *Service {
	if cfg.MaxLifetime <= 0 {
		cfg.MaxLifetime = defaultMaxLifetime
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{cfg: cfg, uses: lastuse.New(lastuse.Config[authz.TokenUse]{
		Write: func(ctx context.Context, _ string, use authz.TokenUse) error { return cfg.Store.NoteTokenUse(ctx, use) },
		What:  "API tokens", Now: cfg.Now, Log: cfg.Log,
	})}
}

// MaxLifetime is the longest that a token may live.
func (s *Service) MaxLifetime() time.Duration { return s.cfg.MaxLifetime }

// New is a token to be made.
type New struct {
	Name      string // 1 to 100 characters, for its owner to know it by
	API       string // the identifier of the one API that it is for
	Scopes    authz.Scopes
	ExpiresAt time.Time
	Networks  []netip.Prefix // where it may come from; empty: anywhere
	// MadeBy is what asks for it in the person's name: empty for the person on their own
	// pages, else the id of a client, or of an API token of theirs.
	MadeBy string
}

// List gives the tokens of a person, the newest first, those that ended within the last 30
// days among them.
func (s *Service) List(ctx context.Context, userID string) ([]*authz.APIToken, error) {
	return s.cfg.Store.APITokensOfUser(ctx, userID, s.cfg.Now().Add(-visible))
}

// All gives up to limit tokens of everybody by id, those after a given one.
func (s *Service) All(ctx context.Context, after string, limit int) ([]*authz.APIToken, error) {
	if after != "" && !validID(after) {
		return nil, authz.Invalid("after", "is not the id of an API token")
	}
	return s.cfg.Store.APITokens(ctx, after, min(max(limit, 1), maxList))
}
