package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// begin runs the command on free ports and returns its addresses.
func begin(t *testing.T, args ...string) (addresses map[string]string, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"--x-listen", "127.0.0.1:0", "--control-listen", "localhost:0"}, args...), w, io.Discard)
		_ = w.CloseWithError(errors.Join(io.EOF, err))
		ended <- err
	}()
	line, err := bufio.NewReader(r).ReadBytes('\n')
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	if err := json.Unmarshal(line, &addresses); err != nil {
		t.Fatal(err)
	}
	return addresses, func() error { cancel(); return <-ended }
}

func get(t *testing.T, address, bearer string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func TestServesTheFleetUntilStopped(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready.json")
	addresses, end := begin(t, "--fleet", "fleet.example.yaml", "--ready-file", ready, "--spelling", "post", "--x-limit", "1")
	data, err := os.ReadFile(ready)
	want := fmt.Sprintf(`{"control":%q,"facebook":%q,"instagram":%q,"snapchat":%q,"x":%q,"youtube":%q}`+"\n", addresses["control"], addresses["facebook"], addresses["facebook"], addresses["snapchat"], addresses["x"], addresses["youtube"])
	if err != nil || string(data) != want {
		t.Errorf("ready file %q, want %q (%v)", data, want, err)
	}
	users := addresses["x"] + "/2/users?ids=2244994945&user.fields=public_metrics"
	if status, body := get(t, users, "demo-bearer"); status != 200 || !strings.Contains(body, `"post_count":14052`) {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := get(t, users, "demo-bearer"); status != 429 {
		t.Errorf("second: %d", status)
	}
	batch := addresses["instagram"] + "/v26.0/17841400000000001?fields=username"
	if status, body := get(t, batch, "demo-system-token"); status != 200 || !strings.Contains(body, `"username":"edu_riyadh"`) {
		t.Errorf("instagram: %d %s", status, body)
	}
	if status, body := get(t, addresses["facebook"]+"/v26.0/100200300400501?fields=name", "demo-system-token"); status != 200 {
		t.Errorf("facebook: %d %s", status, body)
	}
	if status, body := get(t, addresses["control"]+"/v1/accounts/YouTube/تعليم_الرياض", ""); status != 200 {
		t.Errorf("control: %d %s", status, body)
	}
	if err := end(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := http.Get(users); err == nil {
		t.Error("still listening")
	}
}

func TestStopsWhileARequestIsHeldUp(t *testing.T) {
	addresses, end := begin(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, addresses["control"]+"/v1/faults/X", strings.NewReader(`{"kind":"slow"}`))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	resp, err := http.Get(addresses["x"] + "/2/users?ids=1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := end(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Logf("held up request ended with %v", err)
	}
}

func TestRefusesToStart(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("accounts:\n- {platform: X, id: \"1\", handle: a, colour: red}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"all addresses":  {[]string{"--x-listen", "0.0.0.0:0"}, "not a loopback address"},
		"no host":        {[]string{"--control-listen", ":0"}, "not a loopback address"},
		"IPv6 wildcard":  {[]string{"--listen", "[::]:0"}, "not a loopback address"},
		"host name":      {[]string{"--x-listen", "example.com:0"}, "not a loopback address"},
		"no port":        {[]string{"--x-listen", "127.0.0.1"}, "reading address"},
		"spelling":       {[]string{"--spelling", "toot"}, "toot"},
		"meta address":   {[]string{"--meta-listen", "0.0.0.0:0"}, "not a loopback address"},
		"meta limit":     {[]string{"--meta-engaged", "0"}, "meta-engaged"},
		"meta status":    {[]string{"--meta-throttle-status", "500"}, "500"},
		"window":         {[]string{"--x-window", "10ms"}, "x-window"},
		"limit":          {[]string{"--x-limit", "0"}, "x-limit"},
		"argument":       {[]string{"extra"}, "extra"},
		"flag":           {[]string{"--port", "1"}, "port"},
		"no fleet":       {[]string{"--fleet", "absent.yaml"}, "absent.yaml"},
		"bad fleet":      {[]string{"--fleet", bad}, "accounts[0] (X/1 a)"},
		"bad ready file": {[]string{"--ready-file", "absent/ready.json"}, "ready file"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"--x-listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0"}, c.args...)
			err := run(t.Context(), args, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not contain %q", err, c.want)
			}
		})
	}
	if err := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: %v", err)
	}
}
