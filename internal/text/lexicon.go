package text

import (
	"strings"
	"sync"
)

// lexicon are words that only look as if something was attached to another word:
// بطاقة is a card, not "with energy"; زيتون is an olive, not several oils. A word of
// the text that is one of them, or one of them with its own attachments, does not
// match what is inside. A word is listed if what it seems to be made of is in use and
// itself is far more common than the reading with an attachment; what is truly
// ambiguous (وجهة: destination, and side) is left out, and matches.
const lexicon = `
وزير وزارة وزراء وكيل وكالة وكلاء ولاية ولادة ولاء وليد وليمة وسام وسيلة وسائل وسيط وسيم وحدة وحيد وحوش ورشة ورقة
وردة ورود وصية وصول وصال وضوح وضوء وظيفة وفاة وفاق وفاء وفود وقار وقاية وقود وقوف وقوع وقفة والد والدة وهمي وثيقة
وثائق واجب واحد واحة وادي وارد واسع واقع واضح وافد وباء وتيرة وجود وجبة وجدان وجوه وداع وديعة ودود وراء وشاح وطني
وطنية وعكة وعود وفيات
فريق فصول فنون فكرة فترة فقرة فرصة فاتورة فعالية فعاليات فعال فاعل فساد فرحة فضاء فجوة فراغ فائدة فائز فوائد فوري
فردي فقير فضيلة فضيحة فرنسا فلسفة فحوص
بريد بيان بيانات بطاقة بداية بديل بشرى بشري بناء بيئة بلاغ بلدية بلاد بصمة بعثة بشارة بحار بخار براءة برامج بسمة
بساط بركة برهان بضاعة بطالة بطولة بقاء بنين بنات بوابة باحث باقة بادرة بقرة بصيرة بارد بشرة بسيط بيوت برلمان
كمال كلام كتاب كتابة كلية كليات كلمة كلمات كمية كفاءة كيان كبير كبار كثير كامل كاتب كاذب كافة كادر كوادر كارثة كوارث
كفيل كفالة كريم كرامة كسوة كتيب كيفية كلاب كرسي كمين كنيسة كهرباء
لجنة لجان لقاء لقاح لائحة لوائح لوحة ليلة لباس لبنان لسان لحظة لواء لعبة لاعب لافتة لطيف لقطة لمسة لحية لمحة لياقة
لحوم لذيذ لهجة
سيارة سياسة سيرة سيدة ستار سندات سادة ساحة ساعة سابق سائق سامي سالم ساهم ساكن سنوي سنوات سيول سينما سنام ستارة
التزام التحاق التهاب التماس التفات التقاء التباس إلغاء إلحاح إلهام إلقاء إلزام ألماس ألعاب ألقاب ألوان ألحان ألياف
ألغام إلحاق آلية
سودان شعبان رمضان سلطان إنسان مرجان عنوان ميدان سرطان عمران طيران غفران عدوان كتمان حرمان فقدان نسيان عصيان بنيان
جريان دوران غليان قربان مهرجان ديوان إخوان عثمان أديان زعفران حيوان
تمرين تدوين تأمين تعيين تخزين تحسين مسكين شاهين عشرين عشرون ثلاثين ثلاثون أربعين أربعون خمسين خمسون سبعين سبعون
ثمانين ثمانون تسعين تسعون فلسطين ملايين قوانين
زيتون مليون فرعون عربون قانون صابون مضمون ليمون طاعون
إثبات أموات أصوات
سوريا ليبيا روسيا إيطاليا إسبانيا بريطانيا ألمانيا ماليزيا كوريا تركيا دنيا قضايا هدايا ثريا جغرافيا تكنولوجيا
أمريكا أستراليا إندونيسيا
مالك بارك مبارك شارك مشارك سلوك ملوك شكوك تحريك شريك معارك جمارك حراك اشتراك
جاري رسمي محلي سعودي دوري عادي نادي
توجيه تنبيه ترفيه تنويه اتجاه انتباه مياه
محاكم تراكم أماكن مساكن مساهم تفاهم
`

// words of the lexicon as a trie over the fixed symbols.
var lookalikes = sync.OnceValues(func() (*trie, []form) {
	b := newBuilder()
	var forms []form
	for _, s := range strings.Fields(lexicon) {
		w := exactWord(s)
		syms, f := w.form(false)
		b.add(syms, int32(len(forms)))
		forms = append(forms, f)
	}
	return b.build(), forms
})

// exactWord is a word of the lexicon. Its letters are all of arabicSymbols, and it
// bears no marks.
func exactWord(s string) *word {
	w := &word{kind: kindArabic}
	for _, r := range s {
		g := foldRune(r)
		w.push(fixedSymbol(g.r), g.flags)
	}
	// What looks like an article belongs to the word.
	w.hamza |= 1
	return w
}

// isOther says that the word is rather a longer one, from the lexicon, than the form
// that was found from at to end.
func (w *word) isOther(at split, end int) bool {
	t, forms := lookalikes()
	var room [maxSplits]split
	for _, from := range w.splits(room[:0]) {
		if from.at > at.at {
			continue
		}
		for n, i := int32(0), int(from.at); i < w.n; i++ {
			if n = t.next(n, w.sym[i]); n == 0 {
				break
			}
			if (from.at < at.at || i+1 > end) && i+1 >= end && w.holds(t, forms, from, i+1) {
				return true
			}
		}
	}
	return false
}
