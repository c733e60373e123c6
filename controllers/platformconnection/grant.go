package platformconnection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/internal/platform"
)

// The operator makes one Secret and writes that one alone: RBAC cannot name what is
// made, but it names what is updated, so no app Secret can be changed.
// +kubebuilder:rbac:groups="",namespace=mithaq-system,resources=secrets,verbs=create
// +kubebuilder:rbac:groups="",namespace=mithaq-system,resources=secrets,resourceNames=mithaq-grants,verbs=update

const (
	// GrantsSecret keeps the rotating grants of all connections, by connection. App
	// Secrets are no place for them: whoever keeps those in Git puts spent tokens back.
	GrantsSecret = "mithaq-grants"
	// grantTimeout bounds a save: what was spent is stored even where whoever asked
	// for it has gone.
	grantTimeout = 15 * time.Second
)

// errOtherGrant: another replica went on from the same grant.
var errOtherGrant = errors.New("another grant is stored by now")

// grants keeps one connection's own rotating grant. It outlives the process and the
// connection: a spent refresh token cannot be had again.
type grants struct {
	secrets    client.Client
	key        client.ObjectKey
	connection string
	// late is how much later than told this process takes a grant to end. Where several
	// use one grant, the first renews it and the others find the new one: two that send
	// the same refresh token at once would be a matter of luck.
	late time.Duration
}

// lateness spreads the renewals of several processes; a token is renewed five minutes
// before its end.
const lateness = 4 * time.Minute

// storedGrant is a grant as the Secret holds it, in JSON.
type storedGrant struct {
	Access    string    `json:"accessToken"`
	Refresh   string    `json:"refreshToken"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	Scopes    []string  `json:"scopes,omitempty"`
}

func (r *Reconciler) grants(connection string) platform.GrantStore {
	return &grants{
		secrets: r.Secrets, key: client.ObjectKey{Namespace: r.Namespace, Name: GrantsSecret}, connection: connection,
		late: lateness * time.Duration(r.Part.Index) / time.Duration(max(r.Part.Of, 1)),
	}
}

// Load returns what is stored; the zero Grant where nothing is.
func (g *grants) Load(ctx context.Context) (platform.Grant, error) {
	ctx, cancel := context.WithTimeout(ctx, grantTimeout)
	defer cancel()
	_, grant, err := g.read(ctx)
	if !grant.ExpiresAt.IsZero() {
		grant.ExpiresAt = grant.ExpiresAt.Add(g.late)
	}
	return grant, err
}

// Save stores next where prev stands, or nothing does. Of two replicas that save at
// once one fails, as the API server compares resource versions.
func (g *grants) Save(ctx context.Context, prev, next platform.Grant) error {
	ctx, cancel := context.WithTimeout(ctx, grantTimeout)
	defer cancel()
	raw, err := json.Marshal(storedGrant{string(next.Access), string(next.Refresh), next.ExpiresAt, next.Scopes}) //nolint:gosec // a Secret is where it goes
	if err != nil {
		return fmt.Errorf("encoding a grant: %w", err)
	}
	// Another connection's grant is no conflict: then all is read and compared again.
	return retry.RetryOnConflict(retry.DefaultRetry, func() error { return g.save(ctx, prev, raw) })
}

func (g *grants) save(ctx context.Context, prev platform.Grant, raw []byte) error {
	secret, stored, err := g.read(ctx)
	if err != nil {
		return err
	}
	none := stored.Access == "" && stored.Refresh == ""
	if !none && (stored.Access != prev.Access || stored.Refresh != prev.Refresh) {
		return errOtherGrant
	}
	if secret.ResourceVersion == "" {
		secret.ObjectMeta = metav1.ObjectMeta{
			Namespace: g.key.Namespace, Name: g.key.Name, Labels: map[string]string{"app.kubernetes.io/managed-by": "mithaq"},
		}
		secret.Data = map[string][]byte{g.connection: raw}
		return g.failed("creating", g.secrets.Create(ctx, secret))
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	secret.Data[g.connection] = raw
	return g.failed("updating", g.secrets.Update(ctx, secret))
}

func (g *grants) failed(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s Secret %s: %w", what, g.key, err)
	}
	return nil
}

// read returns the Secret, new where it is not there, and the grant in it.
func (g *grants) read(ctx context.Context) (*corev1.Secret, platform.Grant, error) {
	secret := &corev1.Secret{}
	if err := g.secrets.Get(ctx, g.key, secret); err != nil {
		if apierrors.IsNotFound(err) {
			return &corev1.Secret{}, platform.Grant{}, nil
		}
		return nil, platform.Grant{}, fmt.Errorf("reading Secret %s: %w", g.key, err)
	}
	raw, ok := secret.Data[g.connection]
	if !ok {
		return secret, platform.Grant{}, nil
	}
	var stored storedGrant
	if json.Unmarshal(raw, &stored) != nil { // its error may quote what it read
		return nil, platform.Grant{}, fmt.Errorf("the key %s of Secret %s holds no grant", g.connection, g.key)
	}
	return secret, platform.Grant{
		Access: platform.Token(stored.Access), Refresh: platform.Token(stored.Refresh), ExpiresAt: stored.ExpiresAt, Scopes: stored.Scopes,
	}, nil
}
