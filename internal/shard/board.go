package shard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// +kubebuilder:rbac:groups="",namespace=mithaq-system,resources=configmaps,verbs=get;list;watch;create;update
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=mithaq-system,resources=leases,verbs=get;list;create;update;delete

// The labels of boards.
const (
	LabelBoard  = "mithaq.dev/board"
	LabelShards = "mithaq.dev/shards"
	LabelShard  = "mithaq.dev/shard"
	// annotationHolder names the process that writes a board.
	annotationHolder = "mithaq.dev/holder"
)

// Board shows what a shard knows of policies or of connections, by their names, so that
// the holder of shard 0 can say it of the whole fleet, and so that the next holder of
// this shard goes on with it. It is a ConfigMap, written by the shard's holder alone.
// A nil Board is that of a process that is alone: it shows nothing, to nobody.
type Board struct {
	// Live reads and writes past any cache. Cache reads the boards of all shards; only
	// shard 0 does.
	Live      client.Client
	Cache     client.Reader
	Namespace string
	Layout    Layout
	Shard     int
	// Kind is what it is about, such as policies.
	Kind string
	// Identity is this process's name in the shard's lease.
	Identity string

	mu    sync.Mutex
	board *corev1.ConfigMap
}

// Leads says that this process writes what is said of the whole fleet.
func (b *Board) Leads() bool { return b == nil || b.Shard == 0 }

// Alone says that there are no other shards.
func (b *Board) Alone() bool { return b == nil }

func (b *Board) key() client.ObjectKey {
	return client.ObjectKey{Namespace: b.Namespace, Name: fmt.Sprintf("mithaq-shards-%d-%d-%s", b.Layout.Shards(), b.Shard, b.Kind)}
}

// open takes the board over, once.
func (b *Board) open(ctx context.Context) error {
	if b.board != nil {
		return nil
	}
	board := &corev1.ConfigMap{}
	err := b.Live.Get(ctx, b.key(), board)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading the board: %w", err)
	}
	missing := apierrors.IsNotFound(err)
	board.Namespace, board.Name = b.Namespace, b.key().Name
	board.Labels = map[string]string{
		"app.kubernetes.io/managed-by": "mithaq", LabelBoard: b.Kind,
		LabelShards: strconv.Itoa(b.Layout.Shards()), LabelShard: strconv.Itoa(b.Shard),
	}
	board.Annotations = map[string]string{annotationHolder: b.Identity}
	if missing {
		err = b.Live.Create(ctx, board)
	} else {
		err = b.Live.Update(ctx, board)
	}
	if err != nil {
		return fmt.Errorf("taking over the board: %w", err)
	}
	b.board = board
	return nil
}

// Get reads what this shard showed last; false: nothing.
func (b *Board) Get(ctx context.Context, name string, into any) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.open(ctx); err != nil {
		return false, err
	}
	return decode(b.board, name, into)
}

// Put shows something, unless it is shown already. The error is ErrLost where another
// process has taken the board over.
func (b *Board) Put(ctx context.Context, name string, what any) error {
	raw, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encoding for the board: %w", err)
	}
	return b.change(ctx, func(data map[string]string) bool {
		if data[name] == string(raw) {
			return false
		}
		data[name] = string(raw)
		return true
	})
}

// Drop shows nothing any more.
func (b *Board) Drop(ctx context.Context, name string) error {
	return b.change(ctx, func(data map[string]string) bool {
		_, shown := data[name]
		delete(data, name)
		return shown
	})
}

func (b *Board) change(ctx context.Context, change func(map[string]string) bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.open(ctx); err != nil {
		return err
	}
	for {
		next := b.board.DeepCopy()
		if next.Data == nil {
			next.Data = map[string]string{}
		}
		if !change(next.Data) {
			return nil
		}
		err := b.Live.Update(ctx, next)
		switch {
		case err == nil:
			b.board = next
			return nil
		case !apierrors.IsConflict(err):
			// It may have been written all the same: then the next write conflicts.
			return fmt.Errorf("writing the board: %w", err)
		}
		if err := b.reread(ctx); err != nil {
			return err
		}
	}
}

// reread goes on with a board that somebody else wrote: a person, or whoever took it
// over.
func (b *Board) reread(ctx context.Context) error {
	board := &corev1.ConfigMap{}
	if err := b.Live.Get(ctx, b.key(), board); err != nil {
		return fmt.Errorf("reading the board: %w", err)
	}
	if board.Annotations[annotationHolder] != b.Identity {
		return fmt.Errorf("the board of shard %d: %w", b.Shard, ErrLost)
	}
	b.board = board
	return nil
}

// Shown is what one shard shows of something; Raw is nil where it shows nothing.
type Shown struct {
	Shards, Shard int
	Raw           []byte
}

// All reads what the shards of this layout show of something, by shard. It is complete
// if none is missing.
func (b *Board) All(ctx context.Context, name string) (shown []Shown, complete bool, err error) {
	every, err := Boards(ctx, b.Cache, b.Namespace, b.Kind, name)
	if err != nil {
		return nil, false, err
	}
	shown, found := make([]Shown, b.Layout.Shards()), 0
	for _, one := range every {
		if one.Shards == b.Layout.Shards() && one.Shard < len(shown) {
			shown[one.Shard] = one
			found++
		}
	}
	return shown, found == len(shown), nil
}

// Boards reads what the shards of all layouts show, or showed last, of something.
func Boards(ctx context.Context, reader client.Reader, namespace, kind, name string) ([]Shown, error) {
	var list corev1.ConfigMapList
	if err := reader.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{LabelBoard: kind}); err != nil {
		return nil, fmt.Errorf("reading the boards: %w", err)
	}
	var out []Shown
	for i := range list.Items {
		board := &list.Items[i]
		raw, ok := board.Data[name]
		shards, err1 := strconv.Atoi(board.Labels[LabelShards])
		shard, err2 := strconv.Atoi(board.Labels[LabelShard])
		if errors.Join(err1, err2) != nil {
			return nil, fmt.Errorf("the board %s has no shard in its labels", board.Name)
		}
		if ok {
			out = append(out, Shown{shards, shard, []byte(raw)})
		}
	}
	return out, nil
}

func decode(board *corev1.ConfigMap, name string, into any) (bool, error) {
	raw, ok := board.Data[name]
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal([]byte(raw), into); err != nil {
		return false, fmt.Errorf("reading %s on the board %s: %w", name, board.Name, err)
	}
	return true, nil
}
