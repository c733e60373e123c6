package control

import (
	"fmt"
	"net/http"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func (s *server) postActions() map[string]action {
	return map[string]action{
		"GET /v1/accounts/{platform}/{ref}/posts":         s.listPosts,
		"GET /v1/accounts/{platform}/{ref}/posts/{id}":    s.getPost,
		"PUT /v1/accounts/{platform}/{ref}/posts/{id}":    s.putPost,
		"DELETE /v1/accounts/{platform}/{ref}/posts/{id}": s.deletePost,
	}
}

// account is the account that a path names, by id or handle.
func (s *server) account(r *http.Request) (world.Account, error) {
	p, ref, err := target(r)
	if err != nil {
		return world.Account{}, err
	}
	return s.world.Find(p, ref)
}

// listPosts includes those taken back.
func (s *server) listPosts(r *http.Request) (int, any, error) {
	a, err := s.account(r)
	if err != nil {
		return 0, nil, err
	}
	posts := s.world.Posts(a.Platform, a.ID, world.PostQuery{Deleted: true})
	return http.StatusOK, append([]world.Post{}, posts...), nil
}

func (s *server) findPost(r *http.Request) (world.Post, error) {
	a, err := s.account(r)
	if err != nil {
		return world.Post{}, err
	}
	id := r.PathValue("id")
	post, ok := s.world.Post(a.Platform, id)
	if !ok || post.Account != a.ID {
		return world.Post{}, fmt.Errorf("post %s of %s/%s: %w", id, a.Platform, a.ID, world.ErrNotFound)
	}
	return post, nil
}

func (s *server) getPost(r *http.Request) (int, any, error) {
	post, err := s.findPost(r)
	return http.StatusOK, post, err
}

// putPost creates or replaces; platform, account and id are those of the path.
func (s *server) putPost(r *http.Request) (int, any, error) {
	a, err := s.account(r)
	if err != nil {
		return 0, nil, err
	}
	post := world.Post{Platform: a.Platform, Account: a.ID, ID: r.PathValue("id"), Action: world.Publish}
	want := post
	if err := decode(r, &post); err != nil {
		return 0, nil, err
	}
	if post.Platform != want.Platform || post.Account != want.Account || post.ID != want.ID {
		return 0, nil, fmt.Errorf("%w: platform, account or id are not those of the path", errBody)
	}
	status := http.StatusCreated
	if _, exists := s.world.Post(post.Platform, post.ID); exists {
		status = http.StatusOK
	}
	if err := s.world.PutPost(post); err != nil {
		return 0, nil, err
	}
	post, _ = s.world.Post(post.Platform, post.ID)
	return status, post, nil
}

func (s *server) deletePost(r *http.Request) (int, any, error) {
	post, err := s.findPost(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.world.DeletePost(post.Platform, post.ID)
}
