package shard

import (
	"context"
	"errors"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

type note struct{ Text string }

func newBoards(t *testing.T, n int, c client.Client) []*Board {
	t.Helper()
	var out []*Board
	for i := range n {
		out = append(out, &Board{Live: c, Cache: c, Namespace: testNamespace, Layout: Layout{n}, Shard: i, Kind: "policies", Identity: "a"})
	}
	return out
}

func TestAllShardsShowTheirParts(t *testing.T) {
	ctx, writes := t.Context(), 0
	c := fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			writes++
			return c.Update(ctx, o, opts...)
		},
	}).Build()
	boards := newBoards(t, 3, c)
	for i, text := range []string{"zero", "one"} {
		for range 2 { // the same again is not written
			if err := boards[i].Put(ctx, "manual", note{text}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if writes != 2 {
		t.Errorf("two parts cost %d writes", writes)
	}
	shown, complete, err := boards[0].All(ctx, "manual")
	if err != nil || complete || shown[2].Raw != nil || string(shown[1].Raw) != `{"Text":"one"}` {
		t.Errorf("got %+v, complete %v, %v", shown, complete, err)
	}
	if err := boards[2].Put(ctx, "manual", note{"two"}); err != nil {
		t.Fatal(err)
	}
	if err := newBoards(t, 2, c)[1].Put(ctx, "manual", note{"of another layout"}); err != nil {
		t.Fatal(err)
	}
	shown, complete, err = boards[0].All(ctx, "manual")
	if err != nil || !complete || len(shown) != 3 || string(shown[1].Raw) != `{"Text":"one"}` {
		t.Errorf("got %+v, complete %v, %v", shown, complete, err)
	}
	every, err := Boards(ctx, c, testNamespace, "policies", "manual")
	if err != nil || len(every) != 4 || !slices.ContainsFunc(every, func(s Shown) bool { return s.Shards == 2 && s.Shard == 1 }) {
		t.Errorf("got %v, %v", every, err)
	}
	if err := boards[1].Drop(ctx, "manual"); err != nil {
		t.Fatal(err)
	}
	if _, complete, err := boards[0].All(ctx, "manual"); complete || err != nil {
		t.Errorf("what was taken down is complete: %v", err)
	}
}

// Who took a board over reads what was there; who lost it writes nothing more.
func TestABoardHasOneWriter(t *testing.T) {
	ctx := t.Context()
	c := fake.NewClientBuilder().Build()
	first, second := newBoards(t, 1, c)[0], newBoards(t, 1, c)[0]
	second.Identity = "b"
	if err := first.Put(ctx, "x", note{"first"}); err != nil {
		t.Fatal(err)
	}
	var was note
	if ok, err := second.Get(ctx, "x", &was); err != nil || !ok || was.Text != "first" {
		t.Errorf("the next holder reads %+v, %v, %v", was, ok, err)
	}
	if err := first.Put(ctx, "x", note{"too late"}); !errors.Is(err, ErrLost) {
		t.Errorf("who lost it gets %v", err)
	}
	// A person may touch it; what is shown stays the holder's.
	var board corev1.ConfigMap
	if err := c.Get(ctx, second.key(), &board); err != nil {
		t.Fatal(err)
	}
	board.Data["x"] = "{}"
	if err := c.Update(ctx, &board); err != nil {
		t.Fatal(err)
	}
	if err := second.Put(ctx, "x", note{"second"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(ctx, second.key(), &board); err != nil || board.Data["x"] != `{"Text":"second"}` {
		t.Errorf("got %v, %v", board.Data, err)
	}
}

// A write whose answer was lost is not lost, and not written over.
func TestAWriteWhoseAnswerWasLost(t *testing.T) {
	ctx, lose := t.Context(), false
	away := errors.New("the answer was lost")
	c := fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			if err := c.Update(ctx, o, opts...); err != nil || !lose {
				return err
			}
			lose = false
			return away
		},
	}).Build()
	b := newBoards(t, 1, c)[0]
	if err := b.Put(ctx, "x", note{"1"}); err != nil {
		t.Fatal(err)
	}
	lose = true
	if err := b.Put(ctx, "x", note{"2"}); !errors.Is(err, away) {
		t.Fatal(err)
	}
	for _, text := range []string{"2", "3"} {
		if err := b.Put(ctx, "x", note{text}); err != nil {
			t.Fatal(err)
		}
		var got note
		if ok, err := b.Get(ctx, "x", &got); !ok || err != nil || got.Text != text {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}
