package platformtest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

// marker is in the body of every bad answer: no error may hold it.
const marker = "BODY-OF-THE-ANSWER"

// fold lowers ASCII, as handles compare.
func fold(s string) string { return strings.ToLower(s) }

// expect compares what was observed with what was said.
func (st stage) expect(t *testing.T, got []platform.Observation, err error, want []Said) {
	t.Helper()
	if err != nil {
		st.checkError(t, err)
		t.Fatalf("Observe: %v", err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d observations, want %d", len(got), len(want))
	}
	for i, w := range want {
		st.checkObservation(t, got[i])
		if outcome := st.sees(w.Outcome); st.named(got[i].Ref) != st.named(w.Ref) || got[i].Outcome != outcome {
			t.Errorf("observation %d: %s is %s (%v), want %s is %s",
				i, got[i].Ref, got[i].Outcome, got[i].Err, w.Ref, outcome)
		}
	}
}

// checkObservation checks what holds for any observation.
func (st stage) checkObservation(t *testing.T, o platform.Observation) {
	t.Helper()
	if (o.Profile != nil) != (o.Outcome == platform.Found) {
		t.Errorf("%s is %s, and a profile is set: %v", o.Ref, o.Outcome, o.Profile != nil)
	}
	if (o.Err != nil) != (o.Outcome == platform.Unanswered) {
		t.Errorf("%s is %s, and the error is %v", o.Ref, o.Outcome, o.Err)
	}
	if o.Err != nil {
		st.checkError(t, o.Err)
	}
	if o.Profile == nil {
		return
	}
	if o.Profile.ID == "" || o.Profile.Handle == "" {
		t.Errorf("the profile of %s has no id or no handle", o.Ref)
	}
	if st.by == platform.ByID && o.Profile.ID != o.Ref.ID {
		t.Errorf("id %s was answered with %s", o.Ref.ID, o.Profile.ID)
	}
	if st.by == platform.ByHandle && fold(o.Profile.Handle) != fold(o.Ref.Handle) {
		t.Errorf("handle %s was answered with %s", o.Ref.Handle, o.Profile.Handle)
	}
}

// checkError checks that err is an *Error and that no error in its tree tells a
// secret, a query or an answer.
func (st stage) checkError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*platform.Error](err); !ok {
		t.Errorf("%T is not a *platform.Error: %v", err, err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		text := e.Error()
		if strings.Contains(text, canary) {
			t.Errorf("an error of type %T tells a token", e)
		}
		for key, value := range st.App {
			if secret := strings.TrimSpace(string(value)); secret != "" && strings.Contains(text, secret) {
				t.Errorf("an error of type %T tells the app's %s", e, key)
			}
		}
		for _, tell := range []string{"?", "://", "Bearer", marker} {
			if strings.Contains(text, tell) {
				t.Errorf("an error of type %T holds %q: %s", e, tell, text)
			}
		}
	}
}

// expectNothing checks that an outage was taken for an outage: an error of one of
// kinds, or nothing but Unanswered for such a reason.
func (st stage) expectNothing(
	t *testing.T, got []platform.Observation, err error, kinds ...platform.Kind,
) []*platform.Error {
	t.Helper()
	var reasons []*platform.Error
	judge := func(err error) {
		st.checkError(t, err)
		if e, ok := errors.AsType[*platform.Error](err); ok {
			reasons = append(reasons, e)
		}
		if kind := platform.KindOf(err); !slices.Contains(kinds, kind) {
			t.Errorf("the error's kind is %s, want one of %s: %v", kind, kinds, err)
		}
	}
	if err != nil {
		judge(err)
		if len(got) > 0 {
			t.Errorf("%d observations beside an error", len(got))
		}
		return reasons
	}
	if len(got) == 0 {
		t.Error("neither an error nor an observation")
	}
	for _, o := range got {
		st.checkObservation(t, o)
		if o.Outcome != platform.Unanswered {
			t.Errorf("%s is %s, want Unanswered", o.Ref, o.Outcome)
			continue
		}
		judge(o.Err)
	}
	return reasons
}
