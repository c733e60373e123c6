// Command platformsim simulates the APIs of social media platforms on loopback,
// for demos and tests without accounts, money or network.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/utils/clock"

	"mithaq.dev/mithaq/hack/platformsim/control"
	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/snapchat"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/hack/platformsim/youtube"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "platformsim:", err)
		stop()
		os.Exit(1)
	}
}

type config struct {
	xListen, controlListen, fleet, readyFile string

	youtubeListen, snapchatListen, metaListen string

	spelling, revoke string
	x                x.Options
	youtube          youtube.Options
	snapchat         snapchat.Options
	meta             meta.Options
}

func parseFlags(args []string, output io.Writer) (config, error) {
	var c config
	f := flag.NewFlagSet("platformsim", flag.ContinueOnError)
	f.SetOutput(output)
	f.StringVar(&c.xListen, "x-listen", "127.0.0.1:18080", "loopback `address` of the X API; port 0 picks a free one")
	f.StringVar(&c.xListen, "listen", "127.0.0.1:18080", "same as -x-listen")
	f.StringVar(&c.controlListen, "control-listen", "127.0.0.1:4124", "loopback `address` of the control endpoint")
	f.StringVar(&c.fleet, "fleet", "", "YAML `file` with the apps and accounts to start with")
	f.StringVar(&c.readyFile, "ready-file", "", "`file` to write the addresses to, as JSON, once listening")
	f.StringVar(&c.spelling, "spelling", string(x.SpellingTweet), "naming on X's wire: tweet, post or mixed (asks for either, answers post)")
	f.DurationVar(&c.x.Window, "x-window", 15*time.Minute, "length of X's rate limit window, at least 1s")
	f.IntVar(&c.x.Limit, "x-limit", 300, "requests per app, endpoint and window")
	f.BoolVar(&c.x.PlainThrottle, "x-plain-throttle", false, "refuse with a plain problem instead of error code 88")
	f.BoolVar(&c.x.SingleNotFound404, "x-single-404", false, "answer a single lookup of nobody with 404 instead of 200 with errors")
	f.BoolVar(&c.x.RevokeGrant, "x-revoke-grant", false, "a revocation ends all of a user's tokens of the app instead of one")
	c.youtubeFlags(f)
	c.snapchatFlags(f)
	c.metaFlags(f)
	if err := f.Parse(args); err != nil {
		return config{}, fmt.Errorf("parsing flags: %w", err)
	}
	c.x.Spelling, c.snapchat.Revoke = x.Spelling(c.spelling), snapchat.Revocation(c.revoke)
	return c, c.check(f.Args())
}

func (c *config) youtubeFlags(f *flag.FlagSet) {
	f.StringVar(&c.youtubeListen, "youtube-listen", "127.0.0.1:0", "loopback `address` of Google's APIs; port 0 picks a free one")
	f.IntVar(&c.youtube.DailyUnits, "youtube-units", 10_000, "units per project and Pacific day")
	f.IntVar(&c.youtube.PerMinute, "youtube-per-minute", 0, "requests per project and minute; 0 is no limit")
}

func (c *config) snapchatFlags(f *flag.FlagSet) {
	f.StringVar(&c.snapchatListen, "snapchat-listen", "127.0.0.1:0", "loopback `address` of Snap's APIs; port 0 picks a free one")
	f.IntVar(&c.snapchat.MaxLimit, "snapchat-max-limit", 1000, "largest page of an organisation's profiles")
	f.StringVar(&c.revoke, "snapchat-revoke", string(snapchat.RevokeWorks), "what revoking does: works, ignored (200) or missing (404)")
	f.BoolVar(&c.snapchat.RemovesPeople, "snapchat-removes-people", false, "let members and roles be deleted")
}

func (c config) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("parsing flags: unexpected arguments %q", rest)
	case c.x.Spelling != x.SpellingTweet && c.x.Spelling != x.SpellingPost && c.x.Spelling != x.SpellingMixed:
		return fmt.Errorf("parsing flags: spelling %q is not tweet, post or mixed", c.spelling)
	case c.x.Window < time.Second || c.x.Limit < 1:
		return fmt.Errorf("parsing flags: x-window is below 1s or x-limit below 1")
	}
	return c.checkOthers()
}

func (c config) checkOthers() error {
	switch {
	case c.snapchat.Revoke != snapchat.RevokeWorks && c.snapchat.Revoke != snapchat.RevokeIgnored && c.snapchat.Revoke != snapchat.RevokeMissing:
		return fmt.Errorf("parsing flags: snapchat-revoke %q is not works, ignored or missing", c.revoke)
	case min(c.youtube.DailyUnits, c.snapchat.MaxLimit) < 1 || c.youtube.PerMinute < 0:
		return fmt.Errorf("parsing flags: youtube-units or snapchat-max-limit is below 1, or youtube-per-minute below 0")
	}
	return c.checkMeta()
}

// run serves until ctx ends. It prints the addresses once it listens.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	w := world.New(world.NewShiftedClock(clock.RealClock{}))
	// The handlers first: they set the platforms' rules for the tokens of the fleet.
	sites := map[string]site{
		"x":        {c.xListen, x.New(w, c.x)},
		"youtube":  {c.youtubeListen, youtube.New(w, c.youtube)},
		"snapchat": {c.snapchatListen, snapchat.New(w, c.snapchat)},
		"facebook": {c.metaListen, meta.New(w, c.meta)},
		"control":  {c.controlListen, control.New(w)},
	}
	if err := load(w, c.fleet); err != nil {
		return err
	}
	return serve(ctx, sites, func(addresses []byte) error { return announce(stdout, c.readyFile, addresses) })
}

func load(w *world.World, path string) error {
	if path == "" {
		return nil
	}
	fleet, err := world.ReadFleet(path)
	if err != nil {
		return err
	}
	return w.Load(fleet)
}

type site struct {
	address string
	handler http.Handler
}

// serve listens on every site before it says it is ready.
func serve(ctx context.Context, sites map[string]site, ready func(addresses []byte) error) error {
	// Requests inherit ctx, so that those a fault holds up end with it.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(sites))
	addresses := map[string]string{}
	servers := make([]*http.Server, 0, len(sites))
	defer func() { shutDown(ctx, servers) }()
	for name, s := range sites {
		l, err := listen(ctx, s.address)
		if err != nil {
			return fmt.Errorf("listening for %s: %w", name, err)
		}
		addresses[name] = "http://" + l.Addr().String()
		if name == "facebook" {
			// One origin plays all of Meta's hosts.
			addresses["instagram"] = addresses[name]
		}
		srv := &http.Server{
			Handler:           s.handler,
			ReadHeaderTimeout: 10 * time.Second,
			BaseContext:       func(net.Listener) context.Context { return ctx },
		}
		servers = append(servers, srv)
		go func() { ended <- srv.Serve(l) }()
	}
	list, err := json.Marshal(addresses)
	if err != nil {
		return fmt.Errorf("encoding addresses: %w", err)
	}
	if err := ready(append(list, '\n')); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	}
}

// listen refuses every address but loopback: neither the platforms nor the
// control endpoint are meant for anybody else.
func listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("reading address %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%q is not a loopback address", address)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	// A host file may say anything about localhost.
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		_ = l.Close()
		return nil, fmt.Errorf("%q is not a loopback address", address)
	}
	return l, nil
}

// announce writes the addresses to the ready file and then prints them.
func announce(stdout io.Writer, path string, addresses []byte) error {
	if err := writeReady(path, addresses); err != nil {
		return fmt.Errorf("writing ready file: %w", err)
	}
	if _, err := stdout.Write(addresses); err != nil {
		return fmt.Errorf("printing addresses: %w", err)
	}
	return nil
}

// writeReady makes the file appear in one step, as somebody waits for it.
func writeReady(path string, addresses []byte) error {
	if path == "" {
		return nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".platformsim-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, errWrite := tmp.Write(addresses)
	if err := errors.Join(errWrite, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// shutDown gives answers under way a moment to finish, although ctx has ended.
func shutDown(ctx context.Context, servers []*http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	for _, s := range servers {
		if s.Shutdown(ctx) != nil {
			_ = s.Close()
		}
	}
}
