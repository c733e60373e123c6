package install

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// podSecurity shows that the namespace refuses what is not restricted, and that
// the operator's pod is not refused. The Deployment alone would not tell: pod
// security only warns about templates.
func (s *server) podSecurity(t *testing.T, rendered objects) {
	deployment := convert[appsv1.Deployment](t, rendered.one(t, "Deployment", "mithaq-controller-manager"))
	for name, c := range map[string]struct {
		change func(*corev1.Pod)
		says   string // empty: admitted
	}{
		"as it is": {func(*corev1.Pod) {}, ""},
		"as root": {func(p *corev1.Pod) {
			p.Spec.SecurityContext.RunAsNonRoot, p.Spec.SecurityContext.RunAsUser = nil, ptr.To(int64(0))
		}, "runAsUser=0"},
		"as whoever the image names": {func(p *corev1.Pod) { p.Spec.SecurityContext.RunAsNonRoot = nil }, "runAsNonRoot != true"},
		"privileged":                 {func(p *corev1.Pod) { first(p).Privileged = ptr.To(true); first(p).AllowPrivilegeEscalation = nil }, "privileged"},
		"escalating":                 {func(p *corev1.Pod) { first(p).AllowPrivilegeEscalation = nil }, "allowPrivilegeEscalation != false"},
		"with capabilities":          {func(p *corev1.Pod) { first(p).Capabilities = nil }, "unrestricted capabilities"},
		"without seccomp":            {func(p *corev1.Pod) { p.Spec.SecurityContext.SeccompProfile = nil }, "seccompProfile"},
		"on the host's network":      {func(p *corev1.Pod) { p.Spec.HostNetwork = true }, "host namespaces"},
		"with the host's files": {func(p *corev1.Pod) {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{
				Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}},
			})
		}, `uses restricted volume type "hostPath"`},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{
					Namespace: namespace, Name: "made-from-the-template",
					Labels: deployment.Spec.Template.Labels, Annotations: deployment.Spec.Template.Annotations,
				},
				Spec: *deployment.Spec.Template.Spec.DeepCopy(),
			}
			c.change(pod)
			err := s.client.Create(ctx(t), pod, client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
			switch {
			case c.says == "" && err != nil:
				t.Error(err)
			case c.says == "" && !mountsToken(pod):
				t.Error("the API server gave the pod no token: it could not talk to it")
			case c.says != "" && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), c.says)):
				t.Errorf("want a refusal that says %q, got %v", c.says, err)
			}
		})
	}
	// What pod security does not ask for, and we promise.
	if container := deployment.Spec.Template.Spec.Containers[0]; !ptr.Deref(container.SecurityContext.ReadOnlyRootFilesystem, false) {
		t.Error("the root file system can be written")
	}
}

func first(p *corev1.Pod) *corev1.SecurityContext { return p.Spec.Containers[0].SecurityContext }

func mountsToken(p *corev1.Pod) bool {
	for _, mount := range p.Spec.Containers[0].VolumeMounts {
		if mount.MountPath == "/var/run/secrets/kubernetes.io/serviceaccount" {
			return true
		}
	}
	return false
}
