package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/signet-auth/signet/authz"
)

// ErrWrong means that no enabled person has this name and this password.
var ErrWrong = errors.New("wrong username or password")

// maxUsername bounds what is looked up; usernames and addresses are shorter.
const maxUsername = 320

// Store remembers people's passwords.
type Store interface {
	// UserWithPassword finds a person by username or address in any case; the hash is
	// empty when they have no password.
	UserWithPassword(ctx context.Context, name string) (*authz.User, string, error)
	SetPassword(ctx context.Context, p authz.PasswordCredential) error
	// UpgradePassword replaces a hash unless the password was changed meanwhile.
	UpgradePassword(ctx context.Context, userID, from, to string) error
}

// Recorder takes down what may be asked about later.
type Recorder interface {
	Record(ctx context.Context, e authz.Event)
}

// Config names all that a Service needs.
type Config struct {
	Store  Store
	Audit  Recorder
	Params Argon2Params // zero: DefaultArgon2
	// Hashing is how many passwords are hashed at once, each in Params.MemoryKiB; 0: 4.
	Hashing int
	// DeviceKey authenticates known devices; at least 32 bytes.
	DeviceKey []byte

	PerAddress Limiter // attempts from one address; AddressBurst, AddressRefill
	PerName    Limiter // attempts at one name from one address; NameBurst, NameRefill
	PerAccount Limiter // attempts at one name before it is slowed; AttackBurst, AttackRefill
	// Reserve lets attempts through that those before it refuse, one at a time; ReserveBurst,
	// ReserveRefill. nil: none, what is refused is refused.
	Reserve Limiter
	// Waiting is how many attempts may wait for the reserve at once, each from another
	// address and each with its connection; 0: 256.
	Waiting int

	Now    func() time.Time
	Random io.Reader
	// Wait is how an attempt is slowed: it returns after d, or with the cause when ctx ends;
	// nil: a timer.
	Wait func(ctx context.Context, d time.Duration) error
}

const (
	defaultHashing = 4
	defaultWaiting = 256
	minDeviceKey   = 32
)

// Service checks and sets passwords. It is safe for use by many goroutines.
type Service struct {
	cfg     Config
	hashing chan struct{}
	nobody  digest // what is compared when there is nothing to compare with
	derive  func(authz.Secret, []byte, Argon2Params) []byte
	reserve *reserve // nil: none
}

// New checks the configuration and makes a Service.
func New(cfg Config) (*Service, error) {
	if cfg.Params == (Argon2Params{}) {
		cfg.Params = DefaultArgon2()
	}
	if cfg.Hashing == 0 {
		cfg.Hashing = defaultHashing
	}
	if cfg.Waiting == 0 {
		cfg.Waiting = defaultWaiting
	}
	if cfg.Wait == nil {
		cfg.Wait = sleep
	}
	switch {
	case !cfg.Params.valid():
		return nil, fmt.Errorf("argon2 parameters out of range: %+v", cfg.Params)
	case cfg.Hashing < 0:
		return nil, fmt.Errorf("cannot hash %d passwords at once", cfg.Hashing)
	case len(cfg.DeviceKey) < minDeviceKey:
		return nil, fmt.Errorf("the device key needs at least %d bytes", minDeviceKey)
	case cfg.PerAddress == nil || cfg.PerName == nil || cfg.PerAccount == nil:
		return nil, errors.New("login needs its three limiters")
	}
	nobody, err := newDigest(cfg.Params, cfg.Random)
	if err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, hashing: make(chan struct{}, cfg.Hashing), nobody: nobody, derive: derive}
	if cfg.Reserve != nil {
		s.reserve = newReserve(&s.cfg)
	}
	return s, nil
}

// Attempt is what somebody shows. Where they are comes from the context (authz.OriginFrom).
type Attempt struct {
	Username string // or an email address, in any case
	Password authz.Secret
	// Device is what DeviceToken gave this browser before; empty: nothing.
	Device authz.Secret
	// KnownDevice says that the caller has recognised the device by other means.
	KnownDevice bool
}
