package platformconnection

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/shard"
)

// BoardKind is what the boards of connections are called.
const BoardKind = "connections"

// part is what one shard knows of a connection, in the form that a process that is
// alone writes into its status.
type part struct {
	UID types.UID
	// Epoch is the reign of the layout under which it was written: it differs after
	// every change of how many shards there are.
	Epoch int64
	// Used: accounts of this shard go through the connection.
	Used   bool
	Status v1alpha1.PlatformConnectionStatus
}

// reign is a time in which the same number of processes shared the budgets.
type reign struct {
	shards int
	epoch  int64
}

// restored is what earlier processes have spent of this process's part of the budgets.
func (r *Reconciler) restored(ctx context.Context, connection *v1alpha1.PlatformConnection, adapter platform.Adapter) (observe.Saved, error) {
	mine, err := r.mine(ctx, connection)
	if err != nil {
		return observe.Saved{}, err
	}
	if mine != nil {
		return saved(adapter, &mine.Status, false), nil
	}
	shown, err := shard.Boards(ctx, r.Secrets, r.Namespace, BoardKind, connection.Name)
	if err != nil {
		return observe.Saved{}, err
	}
	reigns := map[reign][]part{}
	for _, one := range shown {
		var p part
		if err := json.Unmarshal(one.Raw, &p); err != nil {
			return observe.Saved{}, fmt.Errorf("reading what a shard showed of connection %s: %w", connection.Name, err)
		}
		key := reign{one.Shards, p.Epoch}
		if p.UID == connection.UID && !r.reigns(key) {
			reigns[key] = append(reigns[key], p)
		}
	}
	was := carry(adapter, saved(adapter, &connection.Status, r.booked() && r.Books.Orderly()), reigns)
	for i := range was.Lines {
		was.Lines[i].Spent = r.Part.Divide(was.Lines[i].Spent)
	}
	return was, nil
}

// reigns says that it is the present reign.
func (r *Reconciler) reigns(k reign) bool {
	return !r.Board.Alone() && k == reign{r.Board.Layout.Shards(), r.Epoch}
}

// mine is what this shard showed of a connection in this reign; nil: nothing yet, or
// nobody shows anything.
func (r *Reconciler) mine(ctx context.Context, connection *v1alpha1.PlatformConnection) (*part, error) {
	if r.Board.Alone() {
		return nil, nil
	}
	var p part
	shown, err := r.Board.Get(ctx, connection.Name, &p)
	if err != nil || !shown || p.UID != connection.UID || p.Epoch != r.Epoch {
		return nil, err
	}
	return &p, nil
}

// carry is what was spent before this reign. Each reign began with what the one before
// had spent, so the source that says most is the last one.
func carry(adapter platform.Adapter, status observe.Saved, reigns map[reign][]part) observe.Saved {
	most := status
	for _, parts := range reigns {
		sum := observe.Saved{Exact: true, Swept: true}
		for i := range parts {
			p := saved(adapter, &parts[i].Status, false)
			sum.Exact, sum.Swept = sum.Exact && p.Exact, sum.Swept && p.Swept
			sum.Lines = plus(sum.Lines, p.Lines)
		}
		most = larger(most, sum)
	}
	return most
}

// plus adds the lines of another part: of the same day they add up, and a later day
// makes an earlier one history.
func plus(lines, more []budget.Line) []budget.Line {
	for _, l := range more {
		i := lineOf(lines, l.Bucket)
		switch {
		case i < 0:
			lines = append(lines, l)
		case lines[i].Date == l.Date:
			lines[i].Spent += l.Spent
		case lines[i].Date < l.Date:
			lines[i] = l
		}
	}
	return lines
}

// larger takes of each bucket the later or larger line. What was taken is exact if its
// source is.
func larger(a, b observe.Saved) observe.Saved {
	out := observe.Saved{Lines: append([]budget.Line(nil), a.Lines...), Exact: a.Exact, Swept: a.Swept}
	for _, l := range b.Lines {
		i := lineOf(out.Lines, l.Bucket)
		switch {
		case i < 0:
			out.Lines = append(out.Lines, l)
		case out.Lines[i].Date < l.Date || out.Lines[i].Date == l.Date && out.Lines[i].Spent < l.Spent:
			out.Lines[i] = l
		case out.Lines[i].Date == l.Date && out.Lines[i].Spent == l.Spent:
			out.Exact = out.Exact && b.Exact
			continue
		default:
			continue
		}
		out.Exact, out.Swept = b.Exact, out.Swept && b.Swept
	}
	return out
}

func lineOf(lines []budget.Line, bucket string) int {
	for i := range lines {
		if lines[i].Bucket == bucket {
			return i
		}
	}
	return -1
}
