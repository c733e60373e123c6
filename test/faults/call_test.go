package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/rotation"
)

// send is one request that the operator sent to the platform.
type send struct {
	// stored is the vault on the API server at that moment.
	stored *rotation.Vault
	tokens []string
	host   string
	effect string
	// calls are what the platform's ledger recorded of it.
	calls []world.Call
}

// platformGate lets the requests of one process to the platform through, apart from
// the one that its plan spoils.
type platformGate struct {
	next http.RoundTripper
	p    *play
}

// RoundTrip implements http.RoundTripper.
func (g *platformGate) RoundTrip(r *http.Request) (*http.Response, error) {
	p := g.p
	s := send{host: r.URL.Scheme + "://" + r.URL.Host, tokens: shows(r)}
	var err error
	if s.stored, _, err = p.vault(); err != nil {
		p.violated("the vault could not be read: %v", err)
	}
	s.effect = p.doing
	f := p.called(s.effect)
	switch f {
	case crashBefore:
		crash()
	case lostBefore:
		return nil, errGone
	case throttled:
		err = p.world.SetFaults(p.site.on, world.Fault{Kind: world.FaultThrottleNoReset, Requests: 1})
	case broken:
		err = p.world.SetFaults(p.site.on, world.Fault{Kind: world.FaultStatus, Requests: 1})
	}
	if err != nil {
		p.violated("arming the platform: %v", err)
	}
	before := len(p.world.History().Calls)
	p.checkSend(&s)
	if p.deaf && (strings.HasPrefix(s.effect, "e12") || strings.HasPrefix(s.effect, "e13")) {
		return answerOf(r, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, []byte(`{"revoked":true}`)), nil
	}
	answer, err := g.next.RoundTrip(r)
	if errFaults := p.world.SetFaults(p.site.on); errFaults != nil {
		p.violated("disarming the platform: %v", errFaults)
	}
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if err := answer.Body.Close(); err != nil {
		return nil, err
	}
	p.learn(body)
	s.calls = p.world.History().Calls[before:]
	p.sends = append(p.sends, s)
	p.checkSent(&s)
	switch f {
	case crashAfter:
		crash()
	case lostAfter:
		return nil, io.ErrUnexpectedEOF
	case timeout:
		return nil, context.DeadlineExceeded
	case brokenAfter:
		return answerOf(r, http.StatusBadGateway, http.Header{"Content-Type": {"text/html"}}, []byte("<html>bad gateway</html>")), nil
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// shows are the secrets that a request shows, and puts its body back.
func shows(r *http.Request) []string {
	var out []string
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		out = append(out, token)
	}
	form := url.Values{}
	if r.Body != nil && r.Body != http.NoBody {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			form, _ = url.ParseQuery(string(body)) // what is no form shows nothing in one
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	for _, from := range []url.Values{r.URL.Query(), form} {
		for _, name := range []string{"code", "refresh_token", "access_token", "token", "fb_exchange_token", "input_token"} {
			out = append(out, from[name]...)
		}
	}
	return out
}

// learn keeps every token that an answer holds: the world tells fingerprints alone.
func (p *play) learn(body []byte) {
	var parsed any
	if json.Unmarshal(body, &parsed) != nil {
		return
	}
	var walk func(any, string)
	walk = func(node any, name string) {
		switch n := node.(type) {
		case map[string]any:
			for k, v := range n {
				walk(v, k)
			}
		case []any:
			for _, v := range n {
				walk(v, name)
			}
		case string:
			if name == "access_token" || name == "refresh_token" {
				p.raw[p.world.Fingerprint(n)] = n
			}
		}
	}
	walk(parsed, "")
}

// perform makes a call and notes which: what is stored does not tell, since a result may
// be stored with what follows it.
func (p *play) perform(ctx context.Context, j custody.Job) rotation.Outcome {
	p.doing = effectOf(j)
	return custody.Perform(ctx, j)
}

// effectOf names a call.
func effectOf(j custody.Job) string {
	switch phase := j.Vault.Journal.Phase; {
	case j.Call.Op != nil:
		return map[rotation.OpName]string{
			rotation.OpIssue: "e5 issue", rotation.OpRefresh: "refresh", rotation.OpRevokeGrant: "e12 revoke grant", rotation.OpRevokeAccess: "e13 revoke access",
			rotation.OpUnseat: "e16 remove role", rotation.OpTry: "try", rotation.OpQuarantine: "quarantine grant", rotation.OpQuarantineAccess: "quarantine access",
		}[j.Call.Op.Name]
	case j.Call.Kind == rotation.CallIdentify:
		return "e7 identity"
	case j.Call.Kind == rotation.CallPeople:
		return "list people"
	case j.Call.Slot == rotation.SlotRetiring:
		return "e18 probe old"
	case phase == rotation.Proving || phase == rotation.Revoking:
		return "e19 probe current"
	}
	return "check current"
}

// called counts a call and says which fault strikes it.
func (p *play) called(effect string) fault {
	if !p.armed {
		return none
	}
	p.calls++
	p.effects = append(p.effects, "call "+effect)
	if p.where == atCall && p.nth == p.calls && !p.struck {
		p.struck, p.struckAt = true, "call "+effect
		return p.fault
	}
	return none
}

// wrote counts a write to the API server and says which fault strikes it.
func (p *play) wrote(r *http.Request) fault {
	if !p.armed {
		return none
	}
	p.writes++
	last := ""
	if n := len(p.effects); n > 0 {
		last = p.effects[n-1]
	}
	p.effects = append(p.effects, "write "+p.writing(r))
	if p.where == atAPI && p.nth == p.writes && !p.struck {
		p.struck, p.afterIssue = true, last == "call e5 issue"
		return p.fault
	}
	return none
}

// read counts a live read of the API server and says which fault strikes it.
func (p *play) read(r *http.Request) fault {
	what := reading(r)
	if !p.armed || p.resting || what == "" {
		return none
	}
	p.reads++
	p.effects = append(p.effects, "read "+what)
	if p.where == atRead && p.nth == p.reads && !p.struck {
		p.struck = true
		return p.fault
	}
	return none
}

// reading names a read; empty: the operator has it from a cache, so that it cannot fail.
func reading(r *http.Request) string {
	switch secrets := "/namespaces/" + vaults + "/secrets/"; {
	case strings.Contains(r.URL.Path, secrets+custody.SecretPrefix):
		return "vault"
	case strings.Contains(r.URL.Path, secrets):
		return "key"
	case strings.Contains(r.URL.Path, "/namespaces/"+accounts+"/secrets/"):
		return "inbox"
	case strings.Contains(r.URL.Path, "/socialaccounts/"):
		return "account"
	}
	return ""
}

// unstruck is the vault before a write of a run without a fault, where writes are
// named; an empty one before the first.
func (p *play) unstruck() *rotation.Vault {
	if !p.armed || p.where != nowhere || p.mistake != nil {
		return nil
	}
	v, _, err := p.vault()
	if err != nil {
		p.violated("the vault could not be read: %v", err)
	}
	if v == nil {
		v = rotation.New("")
	}
	return v
}

// nameWrite names the last write by what it changed.
func (p *play) nameWrite(a *rotation.Vault) {
	if a == nil {
		return
	}
	last := len(p.effects) - 1
	b := p.unstruck()
	switch p.effects[last] {
	case "write vault":
		p.effects[last] = "write " + changeOf(a, b)
	case "write status":
		switch b.Journal.Phase {
		case rotation.AwaitingConsent:
			p.effects[last] = "write e3 status URL"
		case rotation.Idle:
			p.effects[last] = "write e21 status and event"
		}
	}
}

// changeOf names what a stored change is in the handover's design: it may be several.
func changeOf(a, b *rotation.Vault) string {
	from, to := a.Journal.Op, b.Journal.Op
	var is []string
	if from != nil && (to == nil || to.Attempt != from.Attempt) {
		is = append(is, map[rotation.OpName]string{
			rotation.OpIssue: "e6 pending", rotation.OpRevokeGrant: "e14 result", rotation.OpRevokeAccess: "e14 result", rotation.OpUnseat: "e17 result",
		}[from.Name]+suffix(from.Name))
	}
	switch was, in := a.Journal.Phase, b.Journal.Phase; {
	case a.Pending != nil && credID(b.Current) == a.Pending.CredID:
		is = append(is, "e8 verified", "e9 promote")
	case b.Pending != nil && !b.Pending.VerifiedAt.IsZero():
		is = append(is, "e8 verified")
	case was == in:
	case in == rotation.Idle:
		is = append(is, "e20 close")
	case in == rotation.AwaitingConsent || was == rotation.Idle:
		is = append(is, "e1 e2 open and verifier")
	case len(is) == 0 && to == nil:
		is = append(is, "phase")
	}
	if to != nil && (from == nil || to.Attempt != from.Attempt) {
		is = append(is, map[rotation.OpName]string{
			rotation.OpIssue: "e4 intent", rotation.OpRevokeGrant: "e11 intent", rotation.OpRevokeAccess: "e11 intent", rotation.OpUnseat: "e15 intent",
		}[to.Name]+suffix(to.Name))
	}
	if len(is) == 0 {
		return "step"
	}
	return strings.Join(is, " + ")
}

// suffix tells renewals and quarantines from the operations of the design.
func suffix(op rotation.OpName) string {
	switch op {
	case rotation.OpIssue, rotation.OpRevokeGrant, rotation.OpRevokeAccess, rotation.OpUnseat:
		return ""
	}
	return string(op)
}

// writing names a write.
func (p *play) writing(r *http.Request) string {
	switch {
	case strings.HasSuffix(r.URL.Path, "/status"):
		return "status"
	case strings.Contains(r.URL.Path, "/socialaccounts/"):
		return "finalizer"
	case strings.Contains(r.URL.Path, "/namespaces/"+accounts+"/secrets"):
		return "e10 publish"
	}
	return "vault"
}
