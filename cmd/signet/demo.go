package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/signet-auth/signet/authz"
	"github.com/signet-auth/signet/authz/directory"
	"github.com/signet-auth/signet/authz/registration"
	"github.com/signet-auth/signet/cmd/signet/demo"
	"github.com/signet-auth/signet/web"
)

// What can serve as the gateway of the demo.
const (
	gatewayNginx   = "nginx"
	gatewayBuiltIn = "built-in"
)

// The person of the demo. Everybody may know her password.
const (
	demoUser     = "alice"
	demoPassword = "alice's password"
)

func newDemo(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Try everything: a server, a third-party app and a microservice, on a database that is thrown away",
		Long: "Try everything: a server, a third-party app and a microservice, on a database that is thrown away.\n\n" +
			"With --json it prints one document with the addresses, or with --once one line of JSON for each step.",
		Example: "  signet demo\n" +
			"  signet demo --once\n" +
			"  signet demo --once --json | jq -e .passed",
		Args: arguments(),
	}
	port := c.Flags().Int("port", 8080, "`port` of the server; the app, the microservice and the gateway have the next three")
	gateway := c.Flags().String("gateway", "", "what serves as the gateway: `nginx`, or built-in (default nginx where it is installed)")
	once := c.Flags().Bool("once", false, "walk through the whole story over HTTP, print PASS or FAIL for each step, and exit")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *port < 1 || *port > 65532 {
			return usage("demo: --port must be between 1 and 65532")
		}
		if *gateway != "" && *gateway != gatewayNginx && *gateway != gatewayBuiltIn {
			return usage("demo: --gateway must be nginx or built-in")
		}
		return runDemo(c, t, *port, *gateway, *once)
	}
	return c
}

// stage is the demo under way: a server and the two strangers that use it.
type stage struct {
	server *server

	folder                                string // for the files of all
	gateway                               string // what serves as the gateway
	issuer, appURL, ordersURL, gatewayURL string
}

func runDemo(c *cobra.Command, t terminal, port int, gateway string, once bool) (err error) {
	folder, err := os.MkdirTemp("", "signet-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo's database: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	// A terminal that closes, or a reader of what is printed that goes, must not leave nginx
	// behind. SIGPIPE comes from browsers that hang up as well, and must end nothing.
	ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGHUP)
	defer stop()
	signal.Ignore(syscall.SIGPIPE)
	defer signal.Reset(syscall.SIGPIPE)

	log := slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := newStage(ctx, folder, port, log)
	if err != nil {
		return err
	}
	s.gateway = gateway
	served := make(chan error, 1)
	go func() { served <- s.server.Run(ctx) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served, s.server.Close())
	}()
	if err := s.open(ctx, log); err != nil {
		return err
	}
	if once {
		return demo.Walk(ctx, demo.Story{
			Issuer: s.issuer, AppURL: s.appURL, OrdersURL: s.ordersURL, Gateway: s.gatewayURL, Username: demoUser, Password: demoPassword,
		}, tellStep(t, asJSON(c)))
	}
	if err := s.announce(c, t); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// tellStep prints each step of the walk when it is done, on a line of its own.
func tellStep(t terminal, forPrograms bool) func(demo.Step) {
	lines := json.NewEncoder(t.out)
	lines.SetEscapeHTML(false)
	return func(step demo.Step) {
		if forPrograms {
			_ = lines.Encode(step)
			return
		}
		_, _ = fmt.Fprintln(t.out, step)
	}
}

// announce says where everything is.
func (s *stage) announce(c *cobra.Command, t terminal) error {
	if asJSON(c) {
		return printJSON(t.out, map[string]string{
			"issuer": s.issuer, "app": s.appURL, "orders": s.ordersURL, "gateway": s.gatewayURL,
			"username": demoUser, "password": demoPassword,
		})
	}
	_, err := fmt.Fprintf(t.out, "Signet          %s/account\nAcme Calendar   %s\nOrders service  %s/orders\n… by a gateway  %s/orders (%s)\n\n"+
		"Open Acme Calendar and sign in with Signet as %q with the password %q; Ctrl-C ends it all.\n",
		s.issuer, s.appURL, s.ordersURL, s.gatewayURL, s.gateway, demoUser, demoPassword)
	return err
}

// newStage makes the server on a database of its own.
func newStage(ctx context.Context, folder string, port int, log *slog.Logger) (*stage, error) {
	address := func(offset int) string { return "127.0.0.1:" + strconv.Itoa(port+offset) }
	s := &stage{
		folder: folder,
		issuer: "http://" + address(0), appURL: "http://" + address(1),
		ordersURL: "http://" + address(2), gatewayURL: "http://" + address(3),
	}
	set, err := demoSettings(map[string]string{"addr": address(0), "data": folder, "trusted-proxy": "127.0.0.1/32"})
	if err != nil {
		return nil, err
	}
	s.server, err = newServer(ctx, set, log)
	return s, err
}

// demoSettings are the defaults but for those given. No file and no environment is looked
// at: a demo must not end up in the database of somebody's real server.
func demoSettings(given map[string]string) (*settings, error) {
	s := new(settings)
	for _, one := range s.table() {
		text, ok := given[one.name]
		if !ok {
			text = one.fallback
		}
		if err := one.value.Set(text); err != nil {
			return nil, fmt.Errorf("%s: %w", one.name, err)
		}
	}
	return s, s.complete()
}

// open registers the app, the API and the person, and opens the doors of the app and the
// microservice. The server must be answering: both ask it for its metadata.
func (s *stage) open(ctx context.Context, log *slog.Logger) error {
	secret, err := s.register(ctx)
	if err != nil {
		return fmt.Errorf("register the demo's app: %w", err)
	}
	orders, err := demo.NewOrders(ctx, s.issuer, s.gatewayURL)
	if err != nil {
		return fmt.Errorf("start the orders service: %w", err)
	}
	context.AfterFunc(ctx, orders.Close)
	app, err := demo.NewApp(ctx, demo.AppConfig{
		Issuer: s.issuer, ClientID: "acme-calendar", ClientSecret: secret.Reveal(), URL: s.appURL,
		OrdersURL: s.ordersURL, GatewayURL: s.gatewayURL,
	})
	if err != nil {
		return fmt.Errorf("start Acme Calendar: %w", err)
	}
	return errors.Join(
		listenAndServe(ctx, s.appURL, app, log),
		listenAndServe(ctx, s.ordersURL, orders, log),
		s.openGateway(ctx, log))
}

// openGateway starts nginx where it is installed, and a proxy of our own elsewhere.
func (s *stage) openGateway(ctx context.Context, log *slog.Logger) error {
	path, installed := demo.FindNginx()
	if s.gateway == "" && installed {
		s.gateway = gatewayNginx
	}
	if s.gateway == gatewayNginx {
		if !installed {
			return errors.New("nginx is not installed: install it, or use --gateway built-in")
		}
		return demo.StartNginx(ctx, path, s.folder, s.gatewayURL[len("http://"):], s.issuer, s.ordersURL, log)
	}
	s.gateway = gatewayBuiltIn
	gateway, err := demo.NewGateway(s.issuer, s.ordersURL)
	if err != nil {
		return fmt.Errorf("start the gateway: %w", err)
	}
	return listenAndServe(ctx, s.gatewayURL, gateway, log)
}

func listenAndServe(ctx context.Context, url string, h http.Handler, log *slog.Logger) error {
	var config net.ListenConfig
	address := url[len("http://"):]
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("%s cannot be listened on (%w): choose another --port", address, cause(err))
	}
	go func() {
		if err := web.Serve(ctx, l, h, log); err != nil {
			log.Error("a part of the demo stopped", "address", address, "error", err)
		}
	}()
	return nil
}

// register does what an administrator and the app's developer would.
func (s *stage) register(ctx context.Context) (authz.Secret, error) {
	parts := s.server.parts
	_, err := parts.People.Create(ctx, directory.New{
		Username: demoUser, Email: "alice@example.com", Name: "Alice Liddell", Password: demoPassword, Admin: true,
	})
	if err != nil {
		return "", err
	}
	_, err = parts.APIs.Create(ctx, authz.API{
		// An API is known by the address at which the world reaches it.
		Identifier: s.gatewayURL, Name: "Orders", BrowserSignIn: true, Scopes: []authz.APIScope{
			{Name: "orders:read", Description: "See your orders"},
			{Name: "orders:write", Description: "Place and cancel orders for you"},
		},
	})
	if err != nil {
		return "", err
	}
	_, secret, err := parts.Clients.Create(ctx, registration.New{
		ID: "acme-calendar", DefaultIDTokenAlg: authz.AlgES256,
		Metadata: authz.ClientMetadata{
			Name: "Acme Calendar", Type: authz.ClientWeb, RedirectURIs: []string{s.appURL + "/callback"},
			Scope: authz.OIDCScopes().With(authz.Scopes{"orders:read"}),
			APIs:  []string{s.gatewayURL}, DefaultAPI: s.gatewayURL,
		},
	})
	return secret, err
}
