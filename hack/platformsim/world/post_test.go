package world_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func post(id string, action world.Action, minutes int) world.Post {
	p := world.Post{
		Platform: world.X, Account: "1", ID: id, Action: action,
		Created: start.Add(time.Duration(minutes) * time.Minute),
	}
	if action != world.Publish {
		p.Target = "99"
	}
	return p
}

func put(t *testing.T, w *world.World, posts ...world.Post) {
	t.Helper()
	for _, p := range posts {
		if err := w.PutPost(p); err != nil {
			t.Fatal(err)
		}
	}
}

func ids(posts []world.Post) (out []string) {
	for _, p := range posts {
		out = append(out, p.ID)
	}
	return out
}

func TestPostsAreNewestFirstAndCanBeChosen(t *testing.T) {
	w := newWorld(t, account("1", "a"), account("2", "b"))
	put(t, w, post("11", world.Publish, 1), post("13", world.Reply, 3), post("12", world.Repost, 2), post("9", world.Like, 3))
	hidden := post("14", world.Publish, 4)
	hidden.Kind = "story"
	put(t, w, hidden)
	if err := w.DeletePost(world.X, "12"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		query world.PostQuery
		want  []string
	}{
		"all":     {world.PostQuery{}, []string{"14", "13", "9", "11"}},
		"deleted": {world.PostQuery{Deleted: true}, []string{"14", "13", "9", "12", "11"}},
		"since":   {world.PostQuery{Since: start.Add(time.Minute)}, []string{"14", "13", "9"}},
		"until":   {world.PostQuery{Until: start.Add(3 * time.Minute)}, []string{"13", "9", "11"}},
		"action":  {world.PostQuery{Actions: []world.Action{world.Like, world.Reply}}, []string{"13", "9"}},
		"kind":    {world.PostQuery{Kinds: []string{"story"}}, []string{"14"}},
	} {
		if diff := cmp.Diff(c.want, ids(w.Posts(world.X, "1", c.query))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"13", "9"}, ids(w.PostsAbout(world.X, "99", world.PostQuery{}))); diff != "" {
		t.Errorf("about 99: %s", diff)
	}
	if got := w.Posts(world.X, "2", world.PostQuery{}); got != nil {
		t.Errorf("of another: %v", got)
	}
}

func TestPostsMoveTheCountsOfTheirAccount(t *testing.T) {
	youtube := world.Account{Platform: world.YouTube, ID: "UC1", Handle: "c", Posts: 10}
	w := newWorld(t, account("1", "a"), youtube)
	put(t, w, post("11", world.Publish, 1), post("12", world.Reply, 2), post("13", world.Like, 3), post("14", world.Follow, 4))
	put(t, w, post("12", world.Reply, 2))
	put(t, w, world.Post{Platform: world.YouTube, Account: "UC1", ID: "v1", Action: world.Publish},
		world.Post{Platform: world.YouTube, Account: "UC1", ID: "c1", Action: world.Reply, Target: "v1"},
		world.Post{Platform: world.YouTube, Account: "UC1", ID: "s1", Action: world.Publish, Kind: "story"})
	a, _ := w.Account(world.X, "1")
	if a.Posts != 2 || a.Likes != 1 || a.Following != 1 || a.LastPostID != "12" {
		t.Errorf("on X %+v", a)
	}
	if a, _ := w.Account(world.YouTube, "UC1"); a.Posts != 11 || a.LastPostID != "v1" {
		t.Errorf("on YouTube %+v", a)
	}
	for range 2 {
		if err := w.DeletePost(world.X, "12"); err != nil {
			t.Fatal(err)
		}
	}
	if a, _ := w.Account(world.X, "1"); a.Posts != 1 || a.LastPostID != "11" {
		t.Errorf("after the deletion %+v", a)
	}
}

func TestPostRefusals(t *testing.T) {
	w := newWorld(t, account("1", "a"), account("2", "b"))
	put(t, w, post("11", world.Publish, 1))
	for name, c := range map[string]struct {
		change func(*world.Post)
		want   error
	}{
		"no such account": {func(p *world.Post) { p.Account = "7" }, world.ErrNotFound},
		"another's id":    {func(p *world.Post) { p.Account = "2" }, world.ErrConflict},
		"id":              {func(p *world.Post) { p.ID = "x" }, world.ErrInvalid},
		"platform":        {func(p *world.Post) { p.Platform = "Z" }, world.ErrInvalid},
		"action":          {func(p *world.Post) { p.Action = "Poke" }, world.ErrInvalid},
		"no target":       {func(p *world.Post) { p.Action = world.Reply }, world.ErrInvalid},
		"image":           {func(p *world.Post) { p.Image = "cat" }, world.ErrInvalid},
	} {
		p := post("11", world.Publish, 1)
		c.change(&p)
		if err := w.PutPost(p); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := w.DeletePost(world.X, "77"); !errors.Is(err, world.ErrNotFound) {
		t.Errorf("deleting nothing: %v", err)
	}
}
