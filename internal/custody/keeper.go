package custody

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/internal/rotation"
)

const (
	// SecretType is the type of a vault's Secret.
	SecretType corev1.SecretType = "mithaq.dev/credential"
	// keySecret is the Secret with the key of all HMACs and fingerprints.
	keySecret = "mithaq-vault-key"
	keyField  = "key"
	keyBytes  = 32
	// labelVault marks vaults, for people who look after the namespace.
	labelVault = "mithaq.dev/vault"
	// annotationAccount tells people whose vault it is.
	annotationAccount = "mithaq.dev/account"
)

// Keeper keeps vaults. It reads Secrets live only, never through an informer, and
// is safe for concurrent use.
type Keeper struct {
	// Client must not cache Secrets.
	Client client.Client
	// Namespace is the operator's own.
	Namespace string

	mu  sync.Mutex
	key []byte
}

// Stored is a vault and the version of the Secret that holds it; the empty version:
// there is no Secret yet.
type Stored struct {
	Vault   *rotation.Vault
	version string
}

// SecretPrefix begins the names of vaults; the account's UID follows.
const SecretPrefix = "cred-"

// name is the vault's Secret of an account.
func name(uid types.UID) string { return SecretPrefix + string(uid) }

// Load reads an account's vault; a new one if there is none. Its error wraps
// rotation.ErrTampered, ErrTooLarge or ErrFormat where the vault cannot be used.
func (k *Keeper) Load(ctx context.Context, uid types.UID) (Stored, error) {
	key, err := k.Key(ctx)
	if err != nil {
		return Stored{}, err
	}
	var secret corev1.Secret
	err = k.Client.Get(ctx, client.ObjectKey{Namespace: k.Namespace, Name: name(uid)}, &secret)
	if apierrors.IsNotFound(err) {
		return Stored{Vault: rotation.New(string(uid))}, nil
	}
	if err != nil {
		return Stored{}, fmt.Errorf("reading the vault: %w", err)
	}
	v, err := rotation.Decode(string(uid), secret.Data, key)
	if err != nil {
		return Stored{}, fmt.Errorf("opening the vault: %w", err)
	}
	return Stored{Vault: v, version: secret.ResourceVersion}, nil
}

// Save stores next in place of what was loaded: one compare-and-swap. A conflict
// is the API server's error and means that nothing was stored.
func (k *Keeper) Save(ctx context.Context, account types.NamespacedName, before Stored, next *rotation.Vault) (Stored, error) {
	key, err := k.Key(ctx)
	if err != nil {
		return Stored{}, err
	}
	next = next.Bumped()
	data, err := rotation.Encode(next, key)
	if err != nil {
		return Stored{}, fmt.Errorf("closing the vault: %w", err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: k.Namespace, Name: name(types.UID(next.UID)), ResourceVersion: before.version,
			Labels: map[string]string{labelVault: "true"}, Annotations: map[string]string{annotationAccount: account.String()},
		},
		Type: SecretType, Data: data,
	}
	if before.version == "" {
		err = k.create(ctx, secret)
	} else {
		err = k.Client.Update(ctx, secret)
	}
	if err != nil {
		return Stored{}, fmt.Errorf("storing the vault: %w", err)
	}
	return Stored{Vault: next, version: secret.ResourceVersion}, nil
}

// create begins a vault, if it can be changed later too. The right to create Secrets
// alone is part of what the operator has anyway, and a vault that cannot follow what
// happens would end a handover in the middle.
func (k *Keeper) create(ctx context.Context, secret *corev1.Secret) error {
	trial := secret.DeepCopy()
	trial.ResourceVersion = "1" // of no object: there is none yet
	if err := k.Client.Update(ctx, trial, client.DryRunAll); apierrors.IsForbidden(err) {
		return err
	}
	return k.Client.Create(ctx, secret)
}

// Key is the key of HMACs and fingerprints. It is made once, at the first need.
func (k *Keeper) Key(ctx context.Context) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil {
		return k.key, nil
	}
	var secret corev1.Secret
	err := k.Client.Get(ctx, client.ObjectKey{Namespace: k.Namespace, Name: keySecret}, &secret)
	if apierrors.IsNotFound(err) {
		fresh := make([]byte, keyBytes)
		_, _ = rand.Read(fresh) // never fails (crypto/rand)
		secret = corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: k.Namespace, Name: keySecret},
			Data:       map[string][]byte{keyField: fresh},
		}
		// Another process may be first: then this one reads its key next time.
		err = k.Client.Create(ctx, &secret)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the vaults' key: %w", err)
	}
	if len(secret.Data[keyField]) < keyBytes {
		return nil, fmt.Errorf("reading the vaults' key: Secret %s/%s lacks %d bytes under %q", k.Namespace, keySecret, keyBytes, keyField)
	}
	k.key = secret.Data[keyField]
	return k.key, nil
}
