package text

import (
	"strings"
	"sync"
)

// A word of the text that is in these lists, or is one of them with its own
// attachments, does not match what seems to be inside. Words are listed if what they
// seem to be made of is in use, and they are far more common than the reading with an
// attachment. What is truly ambiguous (وجهة: destination, and side) is left out, and
// matches.

// notBegun are words that only look as if something stood before another word:
// بطاقة is a card, not "with energy".
const notBegun = `
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
`

// notEnded are words that only look as if something stood after another word: زيتون
// is an olive, not several oils.
const notEnded = `
لبنان وفيات سودان شعبان رمضان سلطان إنسان مرجان عنوان ميدان سرطان عمران طيران غفران عدوان كتمان حرمان فقدان نسيان عصيان بنيان
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

// lookalikes are the words of both lists.
type lookalikes struct {
	words *trie
	forms []form
	// begun is how many of the forms are of notBegun.
	begun int32
}

var lexicon = sync.OnceValue(func() *lookalikes {
	b, l := newBuilder(), &lookalikes{}
	for i, words := range []string{notBegun, notEnded} {
		for _, s := range strings.Fields(words) {
			syms, f := exactWord(s).form(false)
			b.add(syms, int32(len(l.forms)))
			l.forms = append(l.forms, f)
		}
		if i == 0 {
			l.begun = int32(len(l.forms))
		}
	}
	l.words = b.build()
	return l
})

// exactWord is a word of the lists. Its letters are all of arabicSymbols, and it bears
// no marks.
func exactWord(s string) *word {
	w := &word{kind: kindArabic}
	for _, r := range s {
		g := foldRune(r)
		w.push(fixedSymbol(g.r), g.flags)
	}
	w.hamza |= 1 // what looks like an article belongs to the word
	return w
}

// isOther says that the word is rather a longer one, from the lists, than the form
// that was found from at to end.
func (w *word) isOther(at split, end int) bool {
	l := lexicon()
	var room [maxSplits]split
	for _, from := range w.splits(room[:0]) {
		if from.at <= at.at && l.explains(w, from, at, end) {
			return true
		}
	}
	return false
}

// explains says that a listed word from a split explains more of w than the form that
// was found from at to end.
func (l *lookalikes) explains(w *word, from, at split, end int) bool {
	for n, i := int32(0), int(from.at); i < w.n; i++ {
		if n = l.words.next(n, w.sym[i]); n == 0 {
			return false
		}
		if i+1 < end {
			continue
		}
		for j := l.words.nodes[n].forms; l.words.forms[j] >= 0; j++ {
			id := l.words.forms[j]
			longer := id < l.begun && from.at < at.at || id >= l.begun && i+1 > end
			if longer && l.forms[id].fits(w, from, i+1) {
				return true
			}
		}
	}
	return false
}
