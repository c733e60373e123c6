package x

import (
	"maps"
	"slices"
)

// vocabulary is what one spelling of the API lets a request name.
type vocabulary struct {
	problemBase string
	// newNames answers with post_count and so on.
	newNames bool
	// flatProblem names an invalid parameter as OpenAPI 2.167 does, in the
	// members parameter and value.
	flatProblem bool
	// enums are the allowed values of the list parameters.
	enums map[string][]string
	// postEnums are those of endpoints that answer with posts.
	postEnums map[string][]string
}

const (
	paramUserFields  = "user.fields"
	paramExpansions  = "expansions"
	paramTweetFields = "tweet.fields"
	paramPostFields  = "post.fields"
)

var vocabularies = map[Spelling]vocabulary{
	SpellingTweet: {
		problemBase: "https://api.twitter.com/2/problems/",
		enums: map[string][]string{
			paramUserFields: userFieldsTweet,
			paramExpansions: expansionsTweet,
			"tweet.fields":  tweetFields,
		},
		postEnums: postEnums(userFieldsTweet, map[string][]string{paramTweetFields: tweetFields}, postExpansionsTweet),
	},
	SpellingPost: {
		problemBase: "https://api.x.com/2/problems/", newNames: true, flatProblem: true,
		enums: map[string][]string{
			paramUserFields: userFieldsPost,
			paramExpansions: expansionsPost,
			"post.fields":   postFields,
		},
		postEnums: postEnums(userFieldsPost, map[string][]string{paramPostFields: postFields}, postExpansionsPost),
	},
	SpellingMixed: {
		problemBase: "https://api.x.com/2/problems/", newNames: true, flatProblem: true,
		enums: map[string][]string{
			paramUserFields: slices.Concat(userFieldsTweet, userFieldsPost),
			paramExpansions: slices.Concat(expansionsTweet, expansionsPost),
			"tweet.fields":  tweetFields,
			"post.fields":   postFields,
		},
		postEnums: postEnums(
			slices.Concat(userFieldsTweet, userFieldsPost), map[string][]string{paramTweetFields: tweetFields, paramPostFields: postFields},
			slices.Concat(postExpansionsTweet, postExpansionsPost),
		),
	},
}

// postEnums adds what both spellings share; media, polls and places are accepted
// and never shown.
func postEnums(users []string, posts map[string][]string, expansions []string) map[string][]string {
	all := map[string][]string{
		paramUserFields: users, paramExpansions: expansions,
		"media.fields": {
			"alt_text", "duration_ms", "height", "media_key", "non_public_metrics", "organic_metrics", "preview_image_url",
			"promoted_metrics", "public_metrics", "type", "url", "variants", "width",
		},
		"poll.fields":  {"duration_minutes", "end_datetime", "id", "options", "voting_status"},
		"place.fields": {"contained_within", "country", "country_code", "full_name", "geo", "id", "name", "place_type"},
	}
	maps.Copy(all, posts)
	return all
}

// OpenAPI 2.159.
var (
	userFieldsTweet = []string{
		"affiliation", "confirmed_email", "connection_status", "created_at", "description", "entities", "id",
		"is_identity_verified", "location", "most_recent_tweet_id", "name", "parody", "pinned_tweet_id",
		"profile_banner_url", "profile_image_url", "protected", "public_metrics", "receives_your_dm",
		"subscription", "subscription_type", "url", "username", "verified", "verified_followers_count",
		"verified_type", "withheld",
	}
	expansionsTweet     = []string{"affiliation.user_id", "most_recent_tweet_id", "pinned_tweet_id"}
	postExpansionsTweet = []string{
		"article.cover_media", "article.media_entities", "attachments.media_keys", "attachments.media_source_tweet",
		"attachments.poll_ids", "author_id", "edit_history_tweet_ids", "entities.mentions.username",
		"entities.note.mentions.username", "geo.place_id", "in_reply_to_user_id", "referenced_tweets.id",
		"referenced_tweets.id.attachments.media_keys", "referenced_tweets.id.author_id",
	}
	tweetFields = []string{
		"article", "attachments", "author_id", "card_uri", "community_id", "context_annotations",
		"conversation_id", "created_at", "display_text_range", "edit_controls", "edit_history_tweet_ids",
		"entities", "geo", "id", "in_reply_to_user_id", "lang", "media_metadata", "non_public_metrics",
		"note_tweet", "organic_metrics", "possibly_sensitive", "promoted_metrics", "public_metrics",
		"referenced_tweets", "reply_settings", "scopes", "source", "suggested_source_links",
		"suggested_source_links_with_counts", "text", "withheld",
	}
)

// OpenAPI 2.167.
var (
	userFieldsPost = []string{
		"confirmed_email", "connection_status", "created_at", "description", "entities", "id",
		"is_identity_verified", "location", "name", "parody", "profile_banner_url", "profile_image_url",
		"protected", "public_metrics", "receives_your_dm", "subscribes_to_you", "subscription",
		"subscription_type", "url", "username", "verified", "verified_followers_count", "verified_type",
		"withheld",
	}
	expansionsPost     = []string{"affiliation", "most_recent_post_id", "pinned_post_id"}
	postExpansionsPost = []string{
		"article.cover_media", "article.media_entities", "attachments.media_keys", "attachments.media_source_tweet",
		"attachments.poll_ids", "author_id", "edit_history_post_ids", "entities.mentions.username", "geo.place_id",
		"in_reply_to_user_id", "referenced_posts", "username",
	}
	postFields = []string{
		"article", "article_title", "attachments", "card_uri", "community_id", "context_annotations",
		"conversation_id", "created_at", "display_text_range", "edit_controls", "entities", "geo", "id",
		"lang", "matched_media_notes", "media_metadata", "non_public_metrics", "note_post",
		"note_request_suggestions", "organic_metrics", "paid_partnership", "possibly_sensitive",
		"promoted_metrics", "public_metrics", "reply_settings", "scopes", "source",
		"suggested_source_links", "suggested_source_links_with_counts", "text", "withheld",
	}
)
