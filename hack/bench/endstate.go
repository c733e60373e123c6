package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/bench/fleet"
)

// endState is what all statuses say, times apart: of each account a digest, since a
// whole fleet's would be hundreds of megabytes.
type endState struct {
	accounts map[string]uint64
	policy   string
}

// different is how many accounts differ, or are there on one side only.
func (s endState) different(other endState) int {
	n := 0
	for name, digest := range s.accounts {
		if is, ok := other.accounts[name]; !ok || is != digest {
			n++
		}
	}
	for name := range other.accounts {
		if _, ok := s.accounts[name]; !ok {
			n++
		}
	}
	return n
}

// endState reads it.
func (b *bench) endState(ctx context.Context) (endState, error) {
	out := endState{accounts: map[string]uint64{}}
	if err := b.each(ctx, func(acc *v1alpha1.SocialAccount) error {
		// How it came to be is no part of what is: who waits longer than --first-look for the
		// first answer has one transition more.
		acc.Status.Transitions = nil
		text, err := timeless(acc.Status)
		if err != nil {
			return err
		}
		digest := fnv.New64a()
		_, _ = digest.Write(text) // it never fails
		out.accounts[acc.Namespace+"/"+acc.Name] = digest.Sum64()
		return nil
	}); err != nil {
		return out, err
	}
	policy := &v1alpha1.GovernancePolicy{}
	if err := b.cluster.Client.Get(ctx, client.ObjectKey{Name: fleet.PolicyName}, policy); err != nil {
		return out, fmt.Errorf("reading the policy: %w", err)
	}
	text, err := timeless([]any{policy.Status.Accounts, policy.Status.Rules})
	out.policy = string(text)
	return out, err
}

// page is how many accounts are asked for at a time.
const page = 500

// each reads the accounts of the fleet, page by page.
func (b *bench) each(ctx context.Context, do func(*v1alpha1.SocialAccount) error) error {
	options := metav1.ListOptions{Limit: page}
	for {
		list := &v1alpha1.SocialAccountList{}
		err := b.raw.Get().Resource("socialaccounts").VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(list)
		if err != nil {
			return fmt.Errorf("listing accounts: %w", err)
		}
		for i := range list.Items {
			if !b.governed(&list.Items[i]) {
				continue
			}
			if err := do(&list.Items[i]); err != nil {
				return err
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return nil
		}
	}
}

// timeless is the JSON of something without its times: whatever is a time of RFC 3339.
func timeless(of any) ([]byte, error) {
	raw, err := json.Marshal(of)
	if err != nil {
		return nil, fmt.Errorf("encoding a status: %w", err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("decoding a status: %w", err)
	}
	raw, err = json.Marshal(withoutTimes(tree))
	if err != nil {
		return nil, fmt.Errorf("encoding a status: %w", err)
	}
	return raw, nil
}

func withoutTimes(v any) any {
	switch is := v.(type) {
	case map[string]any:
		for key, value := range is {
			is[key] = withoutTimes(value)
		}
	case []any:
		for i, value := range is {
			is[i] = withoutTimes(value)
		}
	case string:
		if _, err := time.Parse(time.RFC3339Nano, is); err == nil {
			return nil
		}
	}
	return v
}
