package meta

import "mithaq.dev/mithaq/hack/platformsim/meta/field"

// Sets of members, with what the contract adds to the field lists: edges that can
// be selected (picture, attachments, media) and members seen in examples.
var (
	setPicture  = field.NewSet("ProfilePictureSource", "url is_silhouette height width cache_key", "height is_silhouette url width", nil)
	setCover    = field.NewSet("CoverPhoto", namesCover, "cover_id id offset_x offset_y source", nil)
	setRef      = field.NewSet("Profile", "id name", "id name", nil)
	setApp      = field.NewSet("Application", "id name link category", "id name", nil)
	setCategory = field.NewSet("PageCategory", "id name", "id name", nil)
	setBusiness = field.NewSet("Business", namesBusiness, "id name", nil)
	setAttach   = field.NewSet("StoryAttachment", "media_type url title description type unshimmed_url", "media_type url", nil)
	setShares   = field.NewSet("Shares", "count", "count", nil)

	setIGComment = field.NewSet("IGComment", namesIGComment, "id text timestamp", map[string]*field.Set{"from": field.NewSet("User", "id username", "id username", nil)})
	setIGMedia   = field.NewSet("IGMedia", namesIGMedia, "id", map[string]*field.Set{"owner": field.NewSet("IGUser", "id", "id", nil)})
	setIGLinked  = field.NewSet("IGUser", namesIGUser, "id", nil)
	setDiscovery = field.NewSet("IGUser", namesIGUser, "id", map[string]*field.Set{"media": setIGMedia})
	setIGUser    = field.NewSet("IGUser", namesIGUser, "id", map[string]*field.Set{
		"business_discovery": setDiscovery, "owner_business": setBusiness,
	})
	setIGOnlyUser = field.NewSet("User", namesIGOnlyUser, "id", nil)

	setPage = field.NewSet("Page", namesPage, "id name", map[string]*field.Set{
		"picture": setPicture, "cover": setCover, "category_list": setCategory,
		"instagram_business_account": setIGLinked, "owner_business": setBusiness, "business": setBusiness,
	})
	setPost = field.NewSet("Post", namesPagePost, "created_time message id", map[string]*field.Set{
		"from": setRef, "admin_creator": setRef, "application": setApp, "attachments": setAttach, "shares": setShares,
	})
	// The field list of comments is not among the sources; these are the names the
	// contract uses.
	setComment = field.NewSet("Comment", "id created_time message from parent is_hidden", "created_time from message id", map[string]*field.Set{"from": setRef, "parent": setRef})

	setUser         = field.NewSet("User", namesUser, "id name", nil)
	setAccount      = field.NewSet("Page", namesPage+" tasks", "access_token category category_list name id tasks", setPage.Sub)
	setRole         = field.NewSet("User", namesUser+" tasks role is_active", "id name tasks", nil)
	setAssigned     = field.NewSet("AssignedUser", namesAssignedUser+" tasks", "id name tasks", map[string]*field.Set{"business": setBusiness})
	setBusinessUser = field.NewSet("BusinessUser", namesBusinessUser, "id name", map[string]*field.Set{"business": setBusiness})
	setSystemUser   = field.NewSet("SystemUser", namesSystemUser, "id name", nil)
	setPending      = field.NewSet("BusinessRoleRequest", namesRoleRequest, "id email role", nil)
	setAsset        = field.NewSet("InstagramBusinessAsset", namesAsset, "id ig_user_id ig_username", nil)
	setSearch       = field.NewSet("Page", "id name location link verification_status is_eligible_for_branded_content", "id name", nil)
)
