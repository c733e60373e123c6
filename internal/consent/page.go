package consent

import (
	_ "embed"
	"html/template"
	"net/http"

	"mithaq.dev/mithaq/internal/custody"
)

//go:embed page.html
var pageHTML string

var pages = template.Must(template.New("page").Parse(pageHTML))

// view is what a page shows.
type view struct {
	custody.Offer
	// Again is the page to begin anew.
	Again string
	Text  text
}

// text is a page's words in both languages.
type text struct {
	TitleAR, TitleEN, BodyAR, BodyEN string
	// Asks: the page shows the account and the way to the platform.
	Asks bool
	Good bool
}

// The pages.
var (
	invitation = text{
		TitleAR: "تفويض إدارة حساب رسمي", TitleEN: "Authorise an official account",
		BodyAR: "بصفتك المسؤول عن الحساب المبيَّن هنا، يُطلب منك تفويض نظام الحوكمة «ميثاق» بالوصول إليه. ستنتقل إلى صفحة المنصة نفسها؛ لا تُدخل كلمة المرور في أي صفحة غيرها.",
		BodyEN: "As the person accountable for the account shown here you are asked to authorise Mithaq, the governance system. You will go to the platform's own page; enter your password nowhere else.",
		Asks:   true,
	}
	received = text{
		TitleAR: "تم استلام التفويض", TitleEN: "Authorisation received",
		BodyAR: "شكرًا لك. سيتحقق النظام الآن من أن التفويض يخص هذا الحساب، ويمكنك إغلاق الصفحة. إن لزم شيء آخر فسيصلك طلب جديد.",
		BodyEN: "Thank you. The system now checks that the authorisation is for this account; you can close this page. If anything else is needed you will be asked again.",
		Good:   true,
	}
	declined = text{
		TitleAR: "لم يكتمل التفويض", TitleEN: "Not authorised",
		BodyAR: "أبلغتنا المنصة بأن التفويض لم يُمنح. لم يتغير شيء، ويمكنك المحاولة مرة أخرى.",
		BodyEN: "The platform told us that the authorisation was not given. Nothing was changed; you can try again.",
	}
	expired = text{
		TitleAR: "هذا الرابط لم يعد صالحًا", TitleEN: "This link is no longer valid",
		BodyAR: "ربما استُخدم الرابط من قبل أو صدر رابط أحدث. اطلب الرابط الحالي من مكتب الحوكمة.",
		BodyEN: "It was used before, or a newer one was issued. Ask the governance office for the present link.",
	}
	moment = text{
		TitleAR: "لحظة من فضلك", TitleEN: "One moment, please",
		BodyAR: "النظام يبدأ الآن أو يستجيب من خادم آخر. ستُعاد المحاولة تلقائيًا خلال ثوانٍ؛ أبقِ هذه الصفحة مفتوحة.",
		BodyEN: "The system is starting, or another server answers. This page tries again by itself in a few seconds; keep it open.",
	}
	elsewhere = text{
		TitleAR: "يرجى الانتظار دقيقة", TitleEN: "Please wait a minute",
		BodyAR: "الخادم المسؤول عن هذا الحساب لا يستجيب الآن، وسيتولى خادم آخر خلال دقيقة. ستُعاد المحاولة تلقائيًا؛ أبقِ هذه الصفحة مفتوحة. لم يضع شيء مما فعلته.",
		BodyEN: "The server that looks after this account does not answer now; another takes over within a minute. This page tries again by itself; keep it open. Nothing that you did is lost.",
	}
	malformed = text{
		TitleAR: "طلب غير صحيح", TitleEN: "Malformed request",
		BodyAR: "لم نتمكن من قراءة رد المنصة. ارجع إلى الرابط الأصلي وحاول مرة أخرى.",
		BodyEN: "The platform's answer could not be read. Go back to the link that you were given and try again.",
	}
	notFound = text{
		TitleAR: "الصفحة غير موجودة", TitleEN: "Page not found",
		BodyAR: "تحقق من الرابط الذي وصلك.", BodyEN: "Check the link that you were given.",
	}
)

// show writes a page.
func show(w http.ResponseWriter, status int, t text, v view) {
	v.Text = t
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = pages.Execute(w, v) // a broken connection is the only way to fail
}
