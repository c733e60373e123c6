package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/local"
)

// annotationSuccessor names, on a sample that declares credentials, who becomes
// accountable for it in the handover that is shown.
const annotationSuccessor = "demo.mithaq.dev/successor"

// handover plays the people of one handover, by the ways that people have: what is
// declared, the consent page, the platform's own dialog, and an attestation.
type handover struct {
	cluster *local.Cluster
	// control is the simulator's own endpoint: there one says who sits at the browser.
	control string
	timeout time.Duration
	// say tells what happens.
	say func(format string, args ...any)
	// phase is the last one that was told of.
	phase string
}

// run plays a handover on every sample that names a successor: the first credential
// by the consent of whoever is accountable, then the change of hands.
func (h *handover) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	var list v1alpha1.SocialAccountList
	if err := h.cluster.Client.List(ctx, &list); err != nil {
		return fmt.Errorf("listing accounts: %w", err)
	}
	for i := range list.Items {
		successor := list.Items[i].Annotations[annotationSuccessor]
		if successor == "" {
			continue
		}
		if err := h.play(ctx, client.ObjectKeyFromObject(&list.Items[i]), successor); err != nil {
			return fmt.Errorf("handover of %s/%s: %w", list.Items[i].Namespace, list.Items[i].Name, err)
		}
	}
	return nil
}

// once plays, and waits until everything is as the samples expect.
func (h *handover) once(ctx context.Context, o options, operator *local.Process, show *screen) error {
	if err := h.run(ctx); err != nil {
		return fmt.Errorf("%w; see %s/operator.log", err, o.state)
	}
	return converge(ctx, o, h.cluster, operator, show)
}

// begin plays beside what else goes on; the function that it returns ends it.
func (h *handover) begin(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := h.run(ctx); err != nil && ctx.Err() == nil {
			h.say("%s", err)
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// play is one account's handover.
func (h *handover) play(ctx context.Context, key client.ObjectKey, successor string) error {
	if err := h.consent(ctx, key); err != nil {
		return err
	}
	if err := h.settled(ctx, key, 1); err != nil {
		return err
	}
	h.say("handover  %s: now %s becomes accountable", key, successor)
	if err := h.patch(ctx, key, map[string]any{"owner": map[string]any{"accountable": successor}}); err != nil {
		return err
	}
	if err := h.consent(ctx, key); err != nil {
		return err
	}
	if err := h.attest(ctx, key); err != nil {
		return err
	}
	return h.settled(ctx, key, 2)
}

// until looks at an account until ready says so, and tells of each phase.
func (h *handover) until(ctx context.Context, key client.ObjectKey, ready func(*v1alpha1.SocialAccount) bool) (*v1alpha1.SocialAccount, error) {
	acc := &v1alpha1.SocialAccount{}
	err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		if err := h.cluster.Client.Get(ctx, key, acc); err != nil {
			return false, err
		}
		h.follow(acc)
		return ready(acc), nil
	})
	if err != nil {
		return nil, fmt.Errorf("waiting in phase %s, %s: %w", phase(acc), reason(acc.Status.Conditions, v1alpha1.ConditionHandoverComplete), err)
	}
	return acc, nil
}

func (h *handover) follow(acc *v1alpha1.SocialAccount) {
	if is := phase(acc); is != h.phase && is != "" {
		h.phase = is
		h.say("handover  %s/%s: %s", acc.Namespace, acc.Name, is)
	}
}

// phase is where an account's handover stands, as the table shows it; empty: the
// account declares no credentials.
func phase(acc *v1alpha1.SocialAccount) string {
	c := meta.FindStatusCondition(acc.Status.Conditions, v1alpha1.ConditionHandoverComplete)
	switch running := acc.Status.Handover; {
	case acc.Spec.Credentials == nil || c == nil:
		return ""
	case running != nil && running.Phase == v1alpha1.PhaseUnseating:
		return fmt.Sprintf("%s, %d steps for people", running.Phase, open(running))
	case running != nil:
		return string(running.Phase)
	}
	return c.Reason
}

func open(running *v1alpha1.Handover) int {
	n := 0
	for _, step := range running.HumanSteps {
		if step.State == v1alpha1.HumanStepOpen {
			n++
		}
	}
	return n
}

func (h *handover) settled(ctx context.Context, key client.ObjectKey, rotations int64) error {
	acc, err := h.until(ctx, key, func(acc *v1alpha1.SocialAccount) bool {
		held := acc.Status.Credentials
		return held != nil && held.RotationsTotal != nil && *held.RotationsTotal == rotations &&
			meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionHandoverComplete) &&
			meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionCredentialsHealthy)
	})
	if err != nil {
		return err
	}
	held := acc.Status.Custody[len(acc.Status.Custody)-1]
	h.say("handover  %s: %s holds the account since %s (%s)", key, held.Accountable, held.From.UTC().Format(time.TimeOnly), held.Provenance)
	return nil
}

// consent opens the page that the account's status names, follows its link to the
// platform, and is sent back with the answer, as a browser is.
func (h *handover) consent(ctx context.Context, key client.ObjectKey) error {
	acc, err := h.until(ctx, key, func(acc *v1alpha1.SocialAccount) bool {
		return acc.Status.Handover != nil && acc.Status.Handover.ConsentURL != "" && acc.Status.AccountID != ""
	})
	if err != nil {
		return err
	}
	running := acc.Status.Handover
	h.say("handover  %s: %s consents at %s", key, running.To, running.ConsentURL)
	// On X one consents as the account itself.
	return local.Consent(ctx, running.ConsentURL, h.control+"/v1/consent/"+string(acc.Spec.Platform), map[string]string{"person": acc.Status.AccountID})
}

// attest gives a person's word on every step that only people can do, as a commit in
// git would.
func (h *handover) attest(ctx context.Context, key client.ObjectKey) error {
	acc, err := h.until(ctx, key, func(acc *v1alpha1.SocialAccount) bool {
		return acc.Status.Handover != nil && acc.Status.Handover.Phase == v1alpha1.PhaseUnseating && open(acc.Status.Handover) > 0
	})
	if err != nil {
		return err
	}
	words, names := acc.Spec.Attestations, []string{}
	for _, step := range acc.Status.Handover.HumanSteps {
		names = append(names, string(step.Step))
		words = append(words, v1alpha1.Attestation{
			// A word counts from its moment on, in whole seconds.
			Control: step.Step, By: acc.Spec.Owner.Accountable, At: metav1.NewTime(time.Now().Add(time.Second).Truncate(time.Second)),
		})
	}
	h.say("handover  %s: people did and attest %s", key, strings.Join(names, ", "))
	return h.patch(ctx, key, map[string]any{"attestations": words})
}

// patch changes what is declared.
func (h *handover) patch(ctx context.Context, key client.ObjectKey, spec map[string]any) error {
	raw, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return fmt.Errorf("encoding a change: %w", err)
	}
	acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	if err := h.cluster.Client.Patch(ctx, acc, client.RawPatch("application/merge-patch+json", raw), client.FieldOwner("mithaq-dev")); err != nil {
		return fmt.Errorf("changing %s: %w", key, err)
	}
	return nil
}
