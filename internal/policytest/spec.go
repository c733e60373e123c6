package policytest

import (
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Kind is the kind of the documents that hold tests. It is none of the cluster's.
const Kind = "PolicyTest"

const apiVersion = "mithaq.dev/v1alpha1"

// suite is a document of kind PolicyTest.
type suite struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        struct {
		Name string `json:"name"`
	} `json:"metadata"`
	// Now is the moment at which all cases are judged.
	Now time.Time `json:"now"`
	// Policies are files, relative to this one, whose policies are tested. Default:
	// the policies in the folder of this file.
	Policies []string `json:"policies"`
	// InForceSince is when the editions came into force; absent: not known.
	InForceSince *time.Time `json:"inForceSince"`
	// Defaults are merged into every case, field by field.
	Defaults json.RawMessage   `json:"defaults"`
	Cases    []json.RawMessage `json:"cases"`
}

// testCase is one account and what is expected of it.
type testCase struct {
	Name    string  `json:"name"`
	Account account `json:"account"`
	// NamespaceLabels are what namespaceSelector sees.
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	// Live is the profile as the platform shows it; absent: the account cannot be
	// read, and Missing says why, as a clause: "the account is suspended".
	Live    *v1alpha1.LiveProfile `json:"live"`
	Missing string                `json:"missing"`
	// Unreadable are fields of live that the platform does not tell.
	Unreadable []string `json:"unreadable"`
	// AccountsOf counts the accounts of people over the whole fleet; who is not named
	// has one. Absent: the fleet is not known.
	AccountsOf map[string]int `json:"accountsOf"`
	// Activity is what was read of posts; absent: nothing was.
	Activity *activity   `json:"activity"`
	Expect   expectation `json:"expect"`
}

// account is a SocialAccount with what rules see of its metadata.
type account struct {
	Name      string                       `json:"name"`
	Namespace string                       `json:"namespace"`
	Labels    map[string]string            `json:"labels"`
	CreatedAt metav1.Time                  `json:"createdAt"`
	Spec      v1alpha1.SocialAccountSpec   `json:"spec"`
	Status    v1alpha1.SocialAccountStatus `json:"status"`
}

// activity is what was read of an account's acts.
type activity struct {
	// Since: everything from then on was read. Default: 60 days before now.
	Since *time.Time `json:"since"`
	// NotRead says by action why it cannot be read.
	NotRead map[v1alpha1.ActivityAction]string `json:"notRead"`
	// Governed are handles that are declared here, as platform and handle: X:moe_edu.
	Governed []string `json:"governed"`
	Acts     []act    `json:"acts"`
}

// act is one thing that the account did.
type act struct {
	ID       string                  `json:"id"`
	Action   v1alpha1.ActivityAction `json:"action"`
	At       time.Time               `json:"at"`
	EditedAt time.Time               `json:"editedAt"`
	Text     string                  `json:"text"`
	URL      string                  `json:"url"`
	Links    []string                `json:"links"`
	Language string                  `json:"language"`
	Target   *struct {
		ID     string `json:"id"`
		Handle string `json:"handle"`
	} `json:"target"`
	By string `json:"by"`
}

// expectation is what a case expects. What it does not name is not checked.
type expectation struct {
	// Rules maps rules to Pass, Violated, Unknown, Excepted or NotApplicable. Where
	// several policies have the rule, the verdict is expected of each; policy:rule
	// names the rule of one.
	Rules map[string]string `json:"rules"`
	// Others is the verdict of every rule that applies and is not in Rules.
	Others string `json:"others"`
	// Tier is Permitted or NotPermitted.
	Tier string `json:"tier"`
	// Compliant is True, False or Unknown.
	Compliant string `json:"compliant"`
}
