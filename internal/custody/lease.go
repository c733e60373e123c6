package custody

import (
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The leader's lease: long enough that a call to a platform, which is sent only
// while a whole call's time and a margin are left of it, is hardly ever put off.
const (
	LeaseName     = "mithaq.mithaq.dev"
	LeaseDuration = 60 * time.Second
	RenewDeadline = 40 * time.Second
	RetryPeriod   = 5 * time.Second
)

// Leadership is this process's part in leader election.
type Leadership struct {
	// Lock and Books are nil where there is no election.
	Lock     resourcelock.Interface
	Books    *Books
	key      client.ObjectKey
	identity string
}

// NewLeadership prepares the election in a namespace, under a name that this
// process knows, so that a Guard can find itself in the lease. Without election it
// is alone.
func NewLeadership(cfg *rest.Config, namespace string, elect bool) (*Leadership, error) {
	if !elect {
		return &Leadership{}, nil
	}
	identity, err := Identity()
	if err != nil {
		return nil, err
	}
	l := &Leadership{key: client.ObjectKey{Namespace: namespace, Name: LeaseName}, identity: identity}
	// A request may take half of the time after which the lease is given up, as the
	// elector's own constructor has it.
	own := rest.AddUserAgent(rest.CopyConfig(cfg), "leader-election")
	own.Timeout = RenewDeadline / 2
	client, err := coordination.NewForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("creating the client for the leader's lease: %w", err)
	}
	l.Books = &Books{identity: identity}
	l.Lock = &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Namespace: namespace, Name: LeaseName}, Client: leases{client, l.Books},
		LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
	}
	return l, nil
}

// Identity is a name of this process, unlike any other.
func Identity() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("naming this process: %w", err)
	}
	return host + "_" + string(uuid.NewUUID()), nil
}

// Guard guards calls that change something.
func (l *Leadership) Guard(live client.Reader, c clock.PassiveClock) *Guard {
	return &Guard{Live: live, Lease: l.key, Identity: l.identity, Clock: c}
}
