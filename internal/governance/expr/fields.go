package expr

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

var accountFields = fields[*Vars]{
	"name":        {cel.StringType, func(v *Vars) ref.Val { return str(v.Account.Name) }},
	"namespace":   {cel.StringType, func(v *Vars) ref.Val { return str(v.Account.Namespace) }},
	"labels":      {cel.MapType(cel.StringType, cel.StringType), labels},
	"createdAt":   {cel.TimestampType, func(v *Vars) ref.Val { return at(v.Account.CreationTimestamp.Time) }},
	"platform":    {cel.StringType, func(v *Vars) ref.Val { return str(v.Account.Spec.Platform) }},
	"handle":      {cel.StringType, func(v *Vars) ref.Val { return str(v.Account.Spec.Handle) }},
	"accountID":   {cel.StringType, accountID},
	"class":       {cel.StringType, class},
	"tier":        {cel.StringType, func(v *Vars) ref.Val { return str(v.Account.Spec.Tier) }},
	"language":    {cel.StringType, func(v *Vars) ref.Val { return str(v.Account.Spec.Language) }},
	"purpose":     {cel.StringType, func(v *Vars) ref.Val { return str(v.Account.Spec.Purpose) }},
	"unit":        {cel.StringType, func(v *Vars) ref.Val { return str(v.Account.Spec.Owner.Unit) }},
	"accountable": {cel.StringType, func(v *Vars) ref.Val { return str(v.Account.Spec.Owner.Accountable) }},
	"contact":     {cel.StringType, func(v *Vars) ref.Val { return str(v.Account.Spec.Owner.Contact) }},
	"profile":     {profileObject, profile},
	"attestations": {cel.ListType(attestationObject), func(v *Vars) ref.Val {
		return listOf(attestationObject, attestationFields, v.Account.Spec.Attestations)
	}},
	"acknowledgements": {cel.ListType(acknowledgementObject), func(v *Vars) ref.Val {
		return listOf(acknowledgementObject, acknowledgementFields, v.Account.Spec.Acknowledgements)
	}},
}

func labels(v *Vars) ref.Val {
	return types.NewStringStringMap(types.DefaultTypeAdapter, v.Account.Labels)
}

// accountID is the declared id, or the one that was pinned at the first observation.
func accountID(v *Vars) ref.Val {
	if id := v.Account.Spec.AccountID; id != "" {
		return str(id)
	}
	return str(v.Account.Status.AccountID)
}

func class(v *Vars) ref.Val {
	if v.Account.Spec.Class == "" {
		return str(v1alpha1.ClassOfficial)
	}
	return str(v.Account.Spec.Class)
}

// profile is an empty one if none is approved: each of its texts is empty.
func profile(v *Vars) ref.Val {
	if v.Account.Spec.Profile == nil {
		return &object[*v1alpha1.ApprovedProfile]{profileObject, profileFields, &v1alpha1.ApprovedProfile{}}
	}
	return &object[*v1alpha1.ApprovedProfile]{profileObject, profileFields, v.Account.Spec.Profile}
}

var profileFields = fields[*v1alpha1.ApprovedProfile]{
	"displayName": {cel.StringType, func(p *v1alpha1.ApprovedProfile) ref.Val { return str(p.DisplayName) }},
	"bio":         {cel.StringType, func(p *v1alpha1.ApprovedProfile) ref.Val { return str(p.Bio) }},
	"website":     {cel.StringType, func(p *v1alpha1.ApprovedProfile) ref.Val { return str(p.Website) }},
}

var attestationFields = fields[*v1alpha1.Attestation]{
	"control":    {cel.StringType, func(a *v1alpha1.Attestation) ref.Val { return str(a.Control) }},
	"by":         {cel.StringType, func(a *v1alpha1.Attestation) ref.Val { return str(a.By) }},
	"at":         {cel.TimestampType, func(a *v1alpha1.Attestation) ref.Val { return at(a.At.Time) }},
	"validUntil": {cel.TimestampType, func(a *v1alpha1.Attestation) ref.Val { return moment(a.ValidUntil) }},
	"evidence":   {cel.StringType, func(a *v1alpha1.Attestation) ref.Val { return str(a.Evidence) }},
}

var acknowledgementFields = fields[*v1alpha1.Acknowledgement]{
	"person":  {cel.StringType, func(a *v1alpha1.Acknowledgement) ref.Val { return str(a.Person) }},
	"policy":  {cel.StringType, func(a *v1alpha1.Acknowledgement) ref.Val { return str(a.Policy) }},
	"version": {cel.StringType, func(a *v1alpha1.Acknowledgement) ref.Val { return str(a.Version) }},
	"at":      {cel.TimestampType, func(a *v1alpha1.Acknowledgement) ref.Val { return at(a.At.Time) }},
}

var memberFields = fields[*v1alpha1.TeamMember]{
	"person": {cel.StringType, func(m *v1alpha1.TeamMember) ref.Val { return str(m.Person) }},
	"roles":  {cel.ListType(cel.StringType), func(m *v1alpha1.TeamMember) ref.Val { return texts(m.Roles) }},
}

func moment(t *metav1.Time) ref.Val {
	if t == nil {
		return nil
	}
	return at(t.Time)
}

var liveFields = fields[*Vars]{
	"handle":      {cel.StringType, live("handle", factHandle, func(p *v1alpha1.LiveProfile) ref.Val { return str(p.Handle) })},
	"displayName": {cel.StringType, live("displayName", factDisplayName, func(p *v1alpha1.LiveProfile) ref.Val { return str(p.DisplayName) })},
	"bio":         {cel.StringType, live("bio", factBio, func(p *v1alpha1.LiveProfile) ref.Val { return str(p.Bio) })},
	"website":     {cel.StringType, live("website", factWebsite, func(p *v1alpha1.LiveProfile) ref.Val { return str(p.Website) })},
	"location":    {cel.StringType, live("location", factLocation, func(p *v1alpha1.LiveProfile) ref.Val { return str(p.Location) })},
	"avatarURL":   {cel.StringType, live("avatarURL", factAvatar, func(p *v1alpha1.LiveProfile) ref.Val { return str(p.AvatarURL) })},
	"bannerURL":   {cel.StringType, live("bannerURL", factBanner, func(p *v1alpha1.LiveProfile) ref.Val { return str(p.BannerURL) })},
	"verified":    {cel.BoolType, live("verified", factVerified, verified)},
	"protected":   {cel.BoolType, live("protected", factProtected, func(p *v1alpha1.LiveProfile) ref.Val { return types.Bool(p.State == v1alpha1.StateProtected) })},
	"followers":   {cel.IntType, live("followers", factFollowers, func(p *v1alpha1.LiveProfile) ref.Val { return number(p.Followers) })},
	"posts":       {cel.IntType, live("posts", factPosts, func(p *v1alpha1.LiveProfile) ref.Val { return number(p.Posts) })},
	"lastPostAt":  {cel.TimestampType, live("lastPostAt", factLastPost, func(p *v1alpha1.LiveProfile) ref.Val { return moment(p.LastPostAt) })},
	"state":       {cel.StringType, live("state", 0, func(p *v1alpha1.LiveProfile) ref.Val { return str(p.State) })},
	"observedAt":  {cel.TimestampType, live("observedAt", 0, func(p *v1alpha1.LiveProfile) ref.Val { return moment(p.ObservedAt) })},
}

// live reads a fact that must be readable.
func live(name string, needs Facts, get func(*v1alpha1.LiveProfile) ref.Val) func(*Vars) ref.Val {
	unreadable := types.WrapErr(&Unknown{Why: NotReadable, Field: "live." + name})
	return func(v *Vars) ref.Val {
		if v.Live == nil || v.Readable&needs != needs {
			return unreadable
		}
		return get(v.Live)
	}
}

// verified is not readable where the platform does not tell.
func verified(p *v1alpha1.LiveProfile) ref.Val {
	if p.Verified == nil {
		return types.WrapErr(&Unknown{Why: NotReadable, Field: "live.verified"})
	}
	return types.Bool(*p.Verified)
}

func number(n *int64) ref.Val {
	if n == nil {
		return nil
	}
	return types.Int(*n)
}

var postFields = fields[*PostVars]{
	"id":       {cel.StringType, func(p *PostVars) ref.Val { return str(p.ID) }},
	"action":   {cel.StringType, func(p *PostVars) ref.Val { return str(p.Action) }},
	"at":       {cel.TimestampType, func(p *PostVars) ref.Val { return at(p.At) }},
	"editedAt": {cel.TimestampType, func(p *PostVars) ref.Val { return at(p.EditedAt) }},
	"text":     {cel.StringType, func(p *PostVars) ref.Val { return str(p.Text) }},
	"url":      {cel.StringType, func(p *PostVars) ref.Val { return str(p.URL) }},
	"links":    {cel.ListType(cel.StringType), func(p *PostVars) ref.Val { return texts(p.Links) }},
	"language": {cel.StringType, func(p *PostVars) ref.Val { return str(p.Language) }},
	"by":       {cel.StringType, func(p *PostVars) ref.Val { return str(p.By) }},
	"target":   {targetObject, target},
}

func target(p *PostVars) ref.Val {
	if p.Target == nil {
		return nil
	}
	return &object[*TargetVars]{targetObject, targetFields, p.Target}
}

var targetFields = fields[*TargetVars]{
	"id":     {cel.StringType, known("id", func(t *TargetVars) ref.Val { return str(t.ID) })},
	"handle": {cel.StringType, known("handle", func(t *TargetVars) ref.Val { return str(t.Handle) })},
	"governed": {cel.BoolType, known("governed", func(t *TargetVars) ref.Val {
		if t.Governed == nil {
			return types.WrapErr(&Unknown{Why: NotReadable, Field: "post.target.governed"})
		}
		return types.Bool(*t.Governed)
	})},
}

// known reads a field of a target that the platform tells.
func known(name string, get func(*TargetVars) ref.Val) func(*TargetVars) ref.Val {
	unreadable := types.WrapErr(&Unknown{Why: NotReadable, Field: "post.target." + name})
	return func(t *TargetVars) ref.Val {
		if !t.Known {
			return unreadable
		}
		return get(t)
	}
}
