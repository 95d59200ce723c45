// Right-to-left languages: the page mirrors, and numbers keep their own order.

const FROM_THE_RIGHT = new Set(["ar", "fa", "he", "ur"]);
const LEFT_TO_RIGHT = "\u2066"; // as HTML's <bdi dir="ltr">, but it works in attributes, too
const END = "\u2069";
let rtl = false;

/** Sets the direction of the page for a language such as `ar` or `de-AT`. */
export function useDirection(language) {
  rtl = FROM_THE_RIGHT.has(language.split("-")[0]);
  document.documentElement.dir = rtl ? "rtl" : "ltr";
}

/** A number with its sign or unit, such as −0:42 or 82 kg, which a right-to-left page would turn round. */
export function inOrder(number) {
  return rtl ? `${LEFT_TO_RIGHT}${number}${END}` : number;
}

/** The language with the digits 0 to 9, which stand on the machine, too. */
export function withLatinDigits(language) {
  return `${language}-u-nu-latn`;
}
