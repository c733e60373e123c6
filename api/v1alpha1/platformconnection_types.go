package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PlatformConnection is how this cluster talks to one platform: endpoint, app
// credentials and budget. It is cluster scoped so that no tenant can point the
// operator at a URL.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=pconn,categories=mithaq
// +kubebuilder:printcolumn:name="Platform",type=string,JSONPath=`.spec.platform`
// +kubebuilder:printcolumn:name="Default",type=boolean,JSONPath=`.spec.default`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Available",type=string,JSONPath=`.status.conditions[?(@.type=="Available")].status`
// +kubebuilder:printcolumn:name="Accounts",type=integer,JSONPath=`.status.sweep.accounts`
// +kubebuilder:printcolumn:name="Requests",type=integer,priority=1,JSONPath=`.status.sweep.requests`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type PlatformConnection struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec is what cluster administrators declare.
	// +required
	Spec PlatformConnectionSpec `json:"spec,omitzero"`
	// status is what Mithaq found. People never write it.
	// +optional
	Status PlatformConnectionStatus `json:"status,omitzero"`
}

// PlatformConnectionList is a list of PlatformConnections.
//
// +kubebuilder:object:root=true
type PlatformConnectionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PlatformConnection `json:"items"`
}

// PlatformConnectionSpec declares a connection.
// +kubebuilder:validation:XValidation:rule="!has(self.options) || !has(self.options.youtube) || self.platform == 'YouTube'",message="youtube options belong to platform YouTube",fieldPath=".options.youtube"
type PlatformConnectionSpec struct {
	// platform is what the connection leads to. Immutable.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="platform is immutable"
	Platform PlatformName `json:"platform,omitempty"`
	// default marks the connection of the accounts that name none. Two defaults
	// of one platform are an error of both.
	// +optional
	Default *bool `json:"default,omitempty"`
	// endpoint is the base URL. Default: the platform's own. Another host must be
	// named by the operator's flag --allowed-hosts; plain http is for loopback
	// only, with the flag --allow-insecure-endpoints.
	// +optional
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?$') || self.matches('^http://(127\\\\.[0-9]{1,3}\\\\.[0-9]{1,3}\\\\.[0-9]{1,3}|localhost|\\\\[::1\\\\])(:[0-9]{1,5})?$')",message="must be https://host or https://host:port, or http:// to a loopback address"
	Endpoint string `json:"endpoint,omitempty"`
	// appSecretRef names the Secret with the app's credentials, in the
	// operator's namespace.
	// +required
	AppSecretRef LocalReference `json:"appSecretRef,omitzero"`
	// alternateAppSecretRef names the Secret of a second app, so that revoking
	// one grant cannot end the new one.
	// +optional
	AlternateAppSecretRef *LocalReference `json:"alternateAppSecretRef,omitempty"`
	// budget limits what the operator may use.
	// +optional
	Budget *Budget `json:"budget,omitempty"`
	// options are particular to a platform.
	// +optional
	Options *PlatformOptions `json:"options,omitempty"`
}

// Budget limits what the operator may use.
// +kubebuilder:validation:MinProperties=1
type Budget struct {
	// share is the part of the published limits that this operator may use, in
	// percent. Default: 80.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Share int32 `json:"share,omitempty"`
	// dailySpendUSD is the most that reads may cost in a UTC day, in US dollars.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=12
	// +kubebuilder:validation:Pattern=`^[0-9]{1,8}(\.[0-9]{1,2})?$`
	DailySpendUSD string `json:"dailySpendUSD,omitempty"`
}

// PlatformOptions are particular to a platform.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type PlatformOptions struct {
	// youtube holds YouTube's options.
	// +optional
	YouTube *YouTubeOptions `json:"youtube,omitempty"`
}

// YouTubeOptions are YouTube's options.
// +kubebuilder:validation:MinProperties=1
type YouTubeOptions struct {
	// dailyUnits is the project's quota in units a day. Default: 10000.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	DailyUnits int64 `json:"dailyUnits,omitempty"`
}

// PlatformConnectionStatus is what Mithaq found about a connection.
type PlatformConnectionStatus struct {
	// conditions are Available, FreshnessFeasible and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that was looked at.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// budget shows each budget when this status was written.
	// +optional
	// +listType=map
	// +listMapKey=bucket
	// +kubebuilder:validation:MaxItems=32
	Budget []BucketStatus `json:"budget,omitempty"`
	// spend is what reads cost on the last day they cost anything.
	// +optional
	Spend *Spend `json:"spend,omitempty"`
	// counting says that a process counts what is spent of a day's budgets and saves it
	// now and then. One that ends properly saves the last figures, and says so in its
	// lease or takes this away; after any other end, what may have been spent since
	// counts as spent.
	// +optional
	Counting *bool `json:"counting,omitempty"`
	// sweep is the last complete round over the connection's accounts when this
	// status was written. It moves with another change, or once a day.
	// +optional
	Sweep *Sweep `json:"sweep,omitempty"`
	// freshness compares, by tier, what the policies promise with what the
	// budget allows.
	// +optional
	// +listType=map
	// +listMapKey=tier
	// +kubebuilder:validation:MaxItems=64
	Freshness []TierFreshness `json:"freshness,omitempty"`
}

// BucketStatus is the state of one request budget.
type BucketStatus struct {
	// bucket names the budget as the platform's limits do.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Bucket string `json:"bucket,omitempty"`
	// limit is the number of requests in a window, of units in a day, or 100 where the
	// platform tells percentages only.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Limit *int64 `json:"limit,omitempty"`
	// remaining is what is left of it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Remaining *int64 `json:"remaining,omitempty"`
	// resetsAt is when the window or the day ends.
	// +optional
	ResetsAt *metav1.Time `json:"resetsAt,omitempty"`
}

// Spend is what reads cost on a day.
type Spend struct {
	// day is the UTC day, as 2006-01-02.
	// +required
	// +kubebuilder:validation:MinLength=10
	// +kubebuilder:validation:MaxLength=10
	Day string `json:"day,omitempty"`
	// usd is in US dollars.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:Pattern=`^[0-9]{1,10}(\.[0-9]{1,4})?$`
	USD string `json:"usd,omitempty"`
}

// Sweep is one complete round over a connection's accounts.
type Sweep struct {
	// accounts is the number of accounts in the round.
	// +required
	// +kubebuilder:validation:Minimum=0
	Accounts *int32 `json:"accounts,omitempty"`
	// startedAt is when the round began.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// completedAt is when the round ended.
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`
	// oldestObservation is the oldest knowledge of any of the accounts.
	// +optional
	OldestObservation *metav1.Time `json:"oldestObservation,omitempty"`
	// requests is the number of requests that the round cost.
	// +required
	// +kubebuilder:validation:Minimum=0
	Requests *int64 `json:"requests,omitempty"`
}

// TierFreshness compares a tier's promise with what the budget allows.
type TierFreshness struct {
	// tier is the accounts' tier.
	// +required
	Tier TierName `json:"tier,omitempty"`
	// promised is the bound that the policies set.
	// +required
	Promised metav1.Duration `json:"promised,omitzero"`
	// achieved is the worst age that the budget, the batches and the number of
	// accounts allow for.
	// +required
	Achieved metav1.Duration `json:"achieved,omitzero"`
}
