/** The shop's two languages. */
export type Language = 'en' | 'de'

type Translated = Readonly<Record<Language, string>>

/** One piece, as the workshop describes it. The price is not here: it changes. */
export interface Piece {
  readonly slug: string
  readonly kind: 'cup' | 'bowl' | 'plate' | 'pot' | 'vase' | 'light'
  readonly name: Translated
  readonly glaze: Translated
  readonly text: Translated
  readonly size: Translated
  /** In euro cents, when the workshop opens. */
  readonly price: number
  /** How many stand on the shelf. */
  readonly stock: number
}

/** What stands on the shelf, in the order of the shop. */
export const pieces: readonly Piece[] = [
  {
    slug: 'morning-cup',
    kind: 'cup',
    name: { en: 'Morning cup', de: 'Morgentasse' },
    glaze: { en: 'celadon', de: 'Seladon' },
    text: {
      en: 'A cup for the first quarter of an hour of the day. The wall is thin at the lip and thick at the foot, so the coffee stays hot and the hand does not. The handle takes three fingers.',
      de: 'Eine Tasse für die erste Viertelstunde des Tages. Die Wand ist am Rand dünn und am Fuß kräftig: Der Kaffee bleibt heiß, die Hand nicht. In den Henkel passen drei Finger.',
    },
    size: { en: '9 cm high, 320 ml', de: '9 cm hoch, 320 ml' },
    price: 2800,
    stock: 24,
  },
  {
    slug: 'teapot',
    kind: 'pot',
    name: { en: 'Teapot', de: 'Teekanne' },
    glaze: { en: 'iron red', de: 'Eisenrot' },
    text: {
      en: 'Five parts, thrown one after another and joined on the same day: body, lid, knob, spout, handle. It pours without dripping, which we check with water before each pot leaves.',
      de: 'Fünf Teile, nacheinander gedreht und am selben Tag zusammengesetzt: Bauch, Deckel, Knauf, Tülle, Henkel. Sie gießt, ohne zu tropfen; das prüfen wir an jeder Kanne mit Wasser.',
    },
    size: { en: '15 cm high, 900 ml', de: '15 cm hoch, 900 ml' },
    price: 9600,
    stock: 5,
  },
  {
    slug: 'serving-bowl',
    kind: 'bowl',
    name: { en: 'Serving bowl', de: 'Große Schale' },
    glaze: { en: 'ochre', de: 'Ocker' },
    text: {
      en: 'Wide enough for a salad for six, and handsome with nothing but apples in it. The foot is left bare: there you can see the dark clay, and feel how the turning tool went round.',
      de: 'Weit genug für Salat für sechs, und schön auch nur mit Äpfeln darin. Der Fuß bleibt roh: Dort sieht man den dunklen Ton und fühlt, wie das Dreheisen herumgegangen ist.',
    },
    size: { en: '31 cm across, 12 cm high', de: '31 cm Durchmesser, 12 cm hoch' },
    price: 8400,
    stock: 7,
  },
  {
    slug: 'tall-vase',
    kind: 'vase',
    name: { en: 'Tall vase', de: 'Hohe Vase' },
    glaze: { en: 'rose slip', de: 'Rosé-Engobe' },
    text: {
      en: 'For a few long stems. The narrow neck keeps grasses upright, and the body is heavy enough to stand in a draught. Dried oats look well in it all winter.',
      de: 'Für wenige lange Stiele. Der enge Hals hält Gräser aufrecht, und der Bauch ist so schwer, dass ihr Zugluft nichts macht. Trockener Hafer steht den ganzen Winter gut darin.',
    },
    size: { en: '29 cm high', de: '29 cm hoch' },
    price: 7200,
    stock: 6,
  },
  {
    slug: 'espresso-pair',
    kind: 'cup',
    name: { en: 'Espresso pair', de: 'Espressopaar' },
    glaze: { en: 'ink and oat', de: 'Tinte und Hafer' },
    text: {
      en: 'Two small cups that are not quite alike. They are made from one lump of clay, cut in half, and stay together through drying, glaze and fire.',
      de: 'Zwei kleine Becher, die sich nicht ganz gleichen. Sie entstehen aus einem Klumpen Ton, in der Mitte geteilt, und bleiben beim Trocknen, Glasieren und Brennen beisammen.',
    },
    size: { en: '6.5 cm high, 80 ml each', de: '6,5 cm hoch, je 80 ml' },
    price: 3600,
    stock: 11,
  },
  {
    slug: 'supper-plate',
    kind: 'plate',
    name: { en: 'Supper plate', de: 'Abendbrotteller' },
    glaze: { en: 'oat', de: 'Hafer' },
    text: {
      en: 'A plate with a rim that holds the sauce and a back that fits the shelf. Iron in the clay comes through the glaze as fine specks; no two plates have the same sky.',
      de: 'Ein Teller mit einem Rand, der die Soße hält. Das Eisen im Ton dringt als feine Punkte durch die Glasur; kein Teller hat denselben Himmel wie der andere.',
    },
    size: { en: '26 cm across', de: '26 cm Durchmesser' },
    price: 3400,
    stock: 32,
  },
  {
    slug: 'water-jug',
    kind: 'pot',
    name: { en: 'Water jug', de: 'Wasserkrug' },
    glaze: { en: 'milk white', de: 'Milchweiß' },
    text: {
      en: 'A litre and a half, and it still feels light, because the weight sits under the hand. Clay keeps water cool: leave it a minute and the outside grows fresh.',
      de: 'Anderthalb Liter, und er wirkt doch leicht, weil das Gewicht unter der Hand liegt. Ton hält Wasser kühl: nach einer Minute ist auch die Wand frisch.',
    },
    size: { en: '22 cm high, 1.5 l', de: '22 cm hoch, 1,5 l' },
    price: 6800,
    stock: 9,
  },
  {
    slug: 'soup-bowl',
    kind: 'bowl',
    name: { en: 'Soup bowl', de: 'Suppenschale' },
    glaze: { en: 'ash blue', de: 'Ascheblau' },
    text: {
      en: 'A bowl to hold in both hands. The glaze is made from the ash of our own kiln; it runs a little, and stops just above the foot.',
      de: 'Eine Schale für beide Hände. Die Glasur machen wir aus der Asche unseres eigenen Ofens; sie läuft ein wenig und bleibt kurz über dem Fuß stehen.',
    },
    size: { en: '16 cm across, 600 ml', de: '16 cm Durchmesser, 600 ml' },
    price: 3200,
    stock: 18,
  },
  {
    slug: 'bud-vase',
    kind: 'vase',
    name: { en: 'Bud vase', de: 'Blütenvase' },
    glaze: { en: 'dusk blue', de: 'Dämmerblau' },
    text: {
      en: 'One flower, one vase. It is as small as a pear and made for the window sill above the sink.',
      de: 'Eine Blume, eine Vase. Klein wie eine Birne und gemacht für das Fensterbrett über der Spüle.',
    },
    size: { en: '11 cm high', de: '11 cm hoch' },
    price: 2600,
    stock: 15,
  },
  {
    slug: 'storage-jar',
    kind: 'pot',
    name: { en: 'Storage jar', de: 'Vorratsdose' },
    glaze: { en: 'moss', de: 'Moos' },
    text: {
      en: 'For coffee, oats or biscuits. The cork is cut for each jar by a turner in the next village, and closes with a soft pop.',
      de: 'Für Kaffee, Haferflocken oder Kekse. Den Korken schneidet ein Drechsler im Nachbardorf für jede Dose einzeln; er schließt mit einem leisen Plopp.',
    },
    size: { en: '17 cm high, 1.2 l', de: '17 cm hoch, 1,2 l' },
    price: 5400,
    stock: 12,
  },
  {
    slug: 'bread-plate',
    kind: 'plate',
    name: { en: 'Three bread plates', de: 'Drei Brotteller' },
    glaze: { en: 'celadon, oat, ochre', de: 'Seladon, Hafer, Ocker' },
    text: {
      en: 'Three small plates in three glazes, for bread, for cake, or under a cup. They stack as if they were one.',
      de: 'Drei kleine Teller in drei Glasuren, für Brot, für Kuchen oder unter die Tasse. Gestapelt sind sie wie aus einem Stück.',
    },
    size: { en: '17 cm across', de: '17 cm Durchmesser' },
    price: 5900,
    stock: 8,
  },
  {
    slug: 'candle-dish',
    kind: 'light',
    name: { en: 'Candle dish', de: 'Kerzenleuchter' },
    glaze: { en: 'rose slip', de: 'Rosé-Engobe' },
    text: {
      en: 'A candle, a dish for the drops, and a ring for the finger, so that you can carry the light up the stairs.',
      de: 'Eine Kerze, ein Teller für die Tropfen und ein Ring für den Finger, damit man das Licht die Treppe hinauftragen kann.',
    },
    size: { en: '16 cm across', de: '16 cm Durchmesser' },
    price: 3100,
    stock: 10,
  },
]

/** The words about the workshop. */
export const workshop: Readonly<Record<Language, { readonly title: string; readonly text: string }>> = {
  en: {
    title: 'One wheel, one kiln, four hands',
    text: 'Lehmhaus stands in the Westerwald, where people have thrown stoneware for six hundred years. We dig a part of our clay ourselves, fire with beech wood three times a year, and pack what came out well in straw. What you order today was made by Ida or by Jonas; the mark under the foot says by whom.',
  },
  de: {
    title: 'Eine Scheibe, ein Ofen, vier Hände',
    text: 'Lehmhaus steht im Westerwald, wo seit sechshundert Jahren Steinzeug gedreht wird. Einen Teil unseres Tons graben wir selbst, dreimal im Jahr brennen wir mit Buchenholz, und was gelungen ist, packen wir in Stroh. Was Sie heute bestellen, hat Ida oder Jonas gemacht; das Zeichen unter dem Fuß sagt, wer.',
  },
}

/** Whether a piece answers a search, in either language. */
export function isFoundBy(piece: Piece, words: string): boolean {
  const text = [piece.name, piece.glaze, piece.text].flatMap((translated) => [translated.en, translated.de])
  const haystack = [...text, piece.kind].join(' ').toLowerCase()
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word))
}
