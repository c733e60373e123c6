package handover

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

// The keys of the Secret of spec.credentials. People put a credential in (inbox);
// Mithaq publishes the access token in use under the same key (outbox).
const (
	KeyAccessToken  = "accessToken"
	KeyRefreshToken = "refreshToken"
	// KeyExpiresAt is RFC 3339; absent: the token does not expire, or nobody knows.
	KeyExpiresAt = "expiresAt"
	// KeyScopes are separated by white space; absent: the platform is asked.
	KeyScopes = "scopes"
)

// maxToken bounds an imported token, in bytes.
const maxToken = 8192

// inboxState is what the inbox holds.
type inboxState struct {
	missing   bool
	malformed string
}

// gatherInbox looks for a credential that was put in and is not known yet. Without
// the right to Secrets of this namespace nothing is begun: what cannot be published
// would be of no use.
func (r *Reconciler) gatherInbox(ctx context.Context, acc *v1alpha1.SocialAccount, v *rotation.Vault, f *facts) error {
	if acc.Spec.Credentials == nil || f.Deleting {
		return nil
	}
	var secret corev1.Secret
	key := client.ObjectKey{Namespace: acc.Namespace, Name: string(acc.Spec.Credentials.SecretRef.Name)}
	err := r.Secrets.Get(ctx, key, &secret)
	switch {
	case apierrors.IsNotFound(err):
		f.inbox.missing = true
		return nil
	case apierrors.IsForbidden(err):
		f.closed = "Mithaq may not read Secrets of this namespace: bind the ClusterRole mithaq-custodian in it to the operator's service account"
		return nil
	case err != nil:
		return fmt.Errorf("reading the Secret of spec.credentials: %w", err)
	}
	if v.Current != nil && v.Journal.Phase != rotation.AwaitingConsent {
		return nil
	}
	p, malformed := read(secret.Data)
	f.inbox.malformed = malformed
	if p != nil && !v.Knows(f.Fingerprint(p.Access)) {
		f.Import = p
	}
	return nil
}

// read checks an imported credential; malformed names the key that is wrong,
// never its value.
func read(data map[string][]byte) (p *rotation.Product, malformed string) {
	p = &rotation.Product{}
	for name, into := range map[string]*platform.Token{KeyAccessToken: &p.Access, KeyRefreshToken: &p.Refresh} {
		value := strings.TrimRight(string(data[name]), "\r\n")
		if len(value) > maxToken || strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return nil, "key " + name + " holds white space, control characters or too much"
		}
		*into = platform.Token(value)
	}
	if p.Access == "" {
		return nil, "key " + KeyAccessToken + " is missing"
	}
	if text := strings.TrimSpace(string(data[KeyExpiresAt])); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, "key " + KeyExpiresAt + " is no RFC 3339 time"
		}
		p.ExpiresAt = at
	}
	p.Scopes = strings.Fields(string(data[KeyScopes]))
	return p, ""
}

// publish writes the access token in use into the outbox, and takes out a refresh
// token that was imported: it is in the vault now, and spent soon.
func (r *Reconciler) publish(ctx context.Context, acc *v1alpha1.SocialAccount, v *rotation.Vault) error {
	name := string(acc.Spec.Credentials.SecretRef.Name)
	data := map[string][]byte{KeyAccessToken: []byte(v.Current.Access)}
	if !v.Current.ExpiresAt.IsZero() {
		data[KeyExpiresAt] = []byte(v.Current.ExpiresAt.UTC().Format(time.RFC3339))
	}
	secret := corev1ac.Secret(name, acc.Namespace).WithData(data)
	if err := r.Secrets.Apply(ctx, secret, client.FieldOwner(Name), client.ForceOwnership); err != nil {
		return fmt.Errorf("publishing the access token: %w", err)
	}
	return r.takeOut(ctx, acc, name)
}

func (r *Reconciler) takeOut(ctx context.Context, acc *v1alpha1.SocialAccount, name string) error {
	var secret corev1.Secret
	key := client.ObjectKey{Namespace: acc.Namespace, Name: name}
	if err := r.Secrets.Get(ctx, key, &secret); err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	if _, there := secret.Data[KeyRefreshToken]; !there {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"data": map[string]any{KeyRefreshToken: nil}})
	if err != nil {
		return fmt.Errorf("encoding the outbox: %w", err)
	}
	if err := r.Secrets.Patch(ctx, &secret, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		return fmt.Errorf("taking the refresh token out of the outbox: %w", err)
	}
	return nil
}
