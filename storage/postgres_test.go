package storage

import (
	"testing"
	"time"
)

func TestWhatADatabaseURLLeavesOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query   string
		conns   int32
		connect time.Duration
		ping    time.Duration
	}{
		"everything":      {"", 16, 5 * time.Second, 2 * time.Second},
		"connect_timeout": {"?connect_timeout=30", 16, 30 * time.Second, 2 * time.Second},
		"the pool":        {"?pool_max_conns=3&pool_ping_timeout=1s", 3, 5 * time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := poolConfig("postgres://signet@db.example/signet"+c.query, settings{})
			if err != nil {
				t.Fatal(err)
			}
			if cfg.MaxConns != c.conns || cfg.ConnConfig.ConnectTimeout != c.connect || cfg.PingTimeout != c.ping {
				t.Errorf("%d connections, connect within %s, ping within %s", cfg.MaxConns, cfg.ConnConfig.ConnectTimeout, cfg.PingTimeout)
			}
		})
	}
}
