/**
 * Markdown for GitHub's pages.
 * Enters: facts of a run, and text from strangers.
 * Leaves: parts of pages in which that text is only text: no link, mention, reference, formula or HTML of its own.
 * Not here: which parts a page has (summary.ts, comment.ts, promotion.ts), tables that are read back (wiki/).
 */
export {fitted, largestSummary, type Section} from './budget.ts';
export {graph, timeline} from './graphs.ts';
export {
  differenceSections,
  failureSection,
  help,
  imageTable,
  placeLine,
  pullSection,
  references,
  shortDigest,
  tableHead,
  tableRow,
  titled,
} from './parts.ts';
export {stableLines, stableSections} from './stable.ts';
export {block, blockLine, cell, code, folded, link, prose, shortened, webAddress} from './text.ts';
